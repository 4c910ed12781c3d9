import * as z from "zod";
import { parseJson } from "./json.ts";
import { MAX_PUSH_TOKEN } from "./limits.ts";
import { text } from "./text.ts";

/** What a device is pushed with, whichever way it says so. */

export const PushProvider = z.enum(["apns", "apns_voip", "fcm", "webpush"]);
export type PushProvider = z.infer<typeof PushProvider>;

/** As a browser serialises its PushSubscription (W3C Push API, section 8): the `token` of `webpush` is the JSON of it. */
export const WebPushSubscription = z.object({
  endpoint: z.url(),
  keys: z.object({ p256dh: z.string().max(100), auth: z.string().max(40) }),
});
export type WebPushSubscription = z.infer<typeof WebPushSubscription>;

export const PushToken = z
  .object({ provider: PushProvider, token: text(MAX_PUSH_TOKEN).min(1) })
  .refine(isOfItsProvider, { path: ["token"], message: "for webpush, the JSON of a PushSubscription" });
export type PushToken = z.infer<typeof PushToken>;

function isOfItsProvider({ provider, token }: { readonly provider: PushProvider; readonly token: string }): boolean {
  switch (provider) {
    case "webpush":
      return WebPushSubscription.safeParse(parseJson(token)).success;
    case "apns":
    case "apns_voip":
    case "fcm":
      return true;
  }
}
