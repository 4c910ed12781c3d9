CREATE TABLE "call_participant_devices" (
	"call_id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"device_id" uuid NOT NULL,
	"joined_at" timestamp (3) with time zone NOT NULL,
	"left_at" timestamp (3) with time zone,
	CONSTRAINT "call_participant_devices_pk" PRIMARY KEY("call_id","user_id","device_id","joined_at")
);
--> statement-breakpoint
CREATE TABLE "call_participants" (
	"call_id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"device_id" uuid,
	"state" varchar(20) NOT NULL,
	"joined_at" timestamp (3) with time zone,
	"left_at" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "call_participants_call_id_user_id_pk" PRIMARY KEY("call_id","user_id")
);
--> statement-breakpoint
CREATE TABLE "calls" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"initiator_id" uuid NOT NULL,
	"call_type" varchar(20) NOT NULL,
	"state" varchar(20) NOT NULL,
	"answered_by" uuid,
	"connected_at" timestamp (3) with time zone,
	"ended_at" timestamp (3) with time zone,
	"duration_seconds" integer,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"outcome" varchar(20),
	"end_reason" varchar(30),
	"revision" bigint DEFAULT 0 NOT NULL
);
--> statement-breakpoint
CREATE TABLE "user_devices" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"user_id" uuid NOT NULL,
	"device_type" varchar(50) NOT NULL,
	"push_token" varchar(500),
	"is_active" boolean DEFAULT true NOT NULL,
	"connected_at" timestamp (3) with time zone,
	"last_seen" timestamp (3) with time zone,
	"revision" bigint DEFAULT 0 NOT NULL
);
--> statement-breakpoint
CREATE TABLE "users" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"name" varchar(100) NOT NULL,
	"avatar_url" varchar(500),
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"revision" bigint DEFAULT 0 NOT NULL
);
--> statement-breakpoint
ALTER TABLE "call_participant_devices" ADD CONSTRAINT "call_participant_devices_participant_fk" FOREIGN KEY ("call_id","user_id") REFERENCES "public"."call_participants"("call_id","user_id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "call_participants" ADD CONSTRAINT "call_participants_call_id_calls_id_fk" FOREIGN KEY ("call_id") REFERENCES "public"."calls"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "call_participants" ADD CONSTRAINT "call_participants_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "calls" ADD CONSTRAINT "calls_initiator_id_users_id_fk" FOREIGN KEY ("initiator_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "user_devices" ADD CONSTRAINT "user_devices_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "idx_participants_user" ON "call_participants" USING btree ("user_id","call_id");--> statement-breakpoint
CREATE INDEX "idx_participants_history" ON "call_participants" USING btree ("user_id","created_at" desc,"call_id" desc);--> statement-breakpoint
CREATE INDEX "idx_calls_initiator" ON "calls" USING btree ("initiator_id","created_at" desc);--> statement-breakpoint
CREATE INDEX "idx_calls_state" ON "calls" USING btree ("state") WHERE "calls"."state" in ('ringing', 'connected');--> statement-breakpoint
CREATE INDEX "idx_devices_user_active" ON "user_devices" USING btree ("user_id") WHERE "user_devices"."is_active";--> statement-breakpoint
CREATE INDEX "idx_devices_connected" ON "user_devices" USING btree ("id") WHERE "user_devices"."connected_at" is not null;