import type { Page } from "playwright-core";
import * as z from "zod";
import { CallEventsResponse, DevTokenResponse, HistoryResponse } from "../../schema/http.ts";

const Session = z.object({ userId: z.string(), name: z.string() });

/** What the history keeps of how the media of the latest call travelled, on the devices of a window's user. */
export async function latestMedia(url: string, page: Page): Promise<CallEventsResponse["media"]> {
  const session = await page.evaluate(() => sessionStorage.getItem("switchboard.session"));
  const body = JSON.stringify(Session.parse(JSON.parse(session ?? "")));
  const answer = await fetch(`${url}/api/dev/token`, { method: "POST", body });
  const { token } = DevTokenResponse.parse(await answer.json());
  const get = async (path: string) =>
    (await fetch(url + path, { headers: { authorization: `Bearer ${token}` } })).json();
  const { calls } = HistoryResponse.parse(await get("/api/calls?limit=1"));
  return CallEventsResponse.parse(await get(`/api/calls/${calls[0]?.id}/events`)).media;
}
