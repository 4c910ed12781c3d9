CREATE TABLE "call_events" (
	"call_id" uuid NOT NULL,
	"rev" integer NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	"kind" varchar(20) NOT NULL,
	"data" jsonb NOT NULL,
	CONSTRAINT "call_events_call_id_rev_pk" PRIMARY KEY("call_id","rev")
);
--> statement-breakpoint
CREATE TABLE "call_pushes" (
	"call_id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"device_id" uuid NOT NULL,
	"purpose" varchar(10) NOT NULL,
	"provider" varchar(20) NOT NULL,
	"result" varchar(20) NOT NULL,
	"status" integer,
	"attempts" integer NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "call_pushes_call_id_user_id_device_id_purpose_pk" PRIMARY KEY("call_id","user_id","device_id","purpose")
);
--> statement-breakpoint
DROP INDEX "idx_participants_history";--> statement-breakpoint
ALTER TABLE "call_participants" ADD COLUMN "direction" varchar(10) DEFAULT 'incoming' NOT NULL;--> statement-breakpoint
ALTER TABLE "call_participants" ADD COLUMN "outcome" varchar(20);--> statement-breakpoint
ALTER TABLE "call_participants" ADD COLUMN "legs" jsonb DEFAULT '[]'::jsonb NOT NULL;--> statement-breakpoint
ALTER TABLE "call_participants" ADD COLUMN "hidden_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "call_events" ADD CONSTRAINT "call_events_call_id_calls_id_fk" FOREIGN KEY ("call_id") REFERENCES "public"."calls"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
UPDATE "call_participants" SET
	"direction" = CASE WHEN "calls"."initiator_id" = "call_participants"."user_id" THEN 'outgoing' ELSE 'incoming' END,
	"outcome" = CASE WHEN "calls"."outcome" = 'blocked' AND "calls"."initiator_id" = "call_participants"."user_id" THEN 'missed' ELSE "calls"."outcome" END
FROM "calls" WHERE "calls"."id" = "call_participants"."call_id";--> statement-breakpoint
CREATE INDEX "idx_participants_direction" ON "call_participants" USING btree ("user_id","direction","created_at" desc,"call_id" desc) WHERE "call_participants"."hidden_at" is null and "call_participants"."outcome" is distinct from 'blocked';--> statement-breakpoint
CREATE INDEX "idx_participants_outcome" ON "call_participants" USING btree ("user_id","outcome","created_at" desc,"call_id" desc) WHERE "call_participants"."hidden_at" is null;--> statement-breakpoint
CREATE INDEX "idx_participants_both" ON "call_participants" USING btree ("user_id","direction","outcome","created_at" desc,"call_id" desc) WHERE "call_participants"."hidden_at" is null;--> statement-breakpoint
CREATE INDEX "idx_participants_history" ON "call_participants" USING btree ("user_id","created_at" desc,"call_id" desc) WHERE "call_participants"."hidden_at" is null and "call_participants"."outcome" is distinct from 'blocked';