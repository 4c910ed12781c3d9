import { parse, parseParams } from "sdp-transform";

/** What makes a codec another one, in the words of `a=rtpmap`. */
export function identity({ name, parameters }: { name: string; parameters: string }): string {
  const { apt, "profile-level-id": level, "profile-id": profile } = parseParams(parameters);
  return [
    name,
    ...(apt === undefined ? [] : [`apt=${apt}`]),
    ...(level ? [`level=${level}`] : []),
    ...(profile ? [`profile=${profile}`] : []),
  ].join(" ");
}

interface Described {
  readonly payload: number;
  readonly meaning: string;
}

export function codecsOf({ rtp, fmtp }: ReturnType<typeof parse>["media"][number]): Described[] {
  return rtp.map(({ payload, codec, rate, encoding }) => {
    const name = [codec, rate, ...(encoding ? [encoding] : [])].join("/");
    const parameters = fmtp.find((one) => one.payload === payload)?.config ?? "";
    return { payload, meaning: identity({ name, parameters }) };
  });
}

/** Numbers with two meanings in the one BUNDLE of a description (RFC 9143, section 9; RFC 8285, section 5). */
export function collisions(sdp: string): string[] {
  const meanings = new Map<string, string>();
  const found: string[] = [];
  const claim = (what: string, meaning: string) => {
    const before = meanings.get(what);
    if (before !== undefined && before !== meaning) found.push(`${what} is ${before} and ${meaning}`);
    meanings.set(what, meaning);
  };
  for (const media of parse(sdp).media) {
    if (media.port === 0) continue;
    for (const { payload, meaning } of codecsOf(media)) claim(`payload type ${payload}`, meaning);
    for (const { value, uri } of media.ext ?? []) {
      claim(`extension ${value}`, uri);
      claim(uri, String(value));
    }
  }
  return found;
}

/** What of an answer says more than the offer did (RFC 3264, section 6; RFC 8285, section 6). */
export function excess(offer: string, answer: string): string[] {
  const answered = parse(answer).media;
  return parse(offer).media.flatMap((offered, index) => {
    const media = answered[index];
    if (!media || media.port === 0) return [];
    const uris = new Set(offered.ext?.map(({ uri }) => uri));
    const meanings = new Set(codecsOf(offered).map(({ payload, meaning }) => `${payload} ${meaning}`));
    return [
      ...(media.ext ?? []).flatMap(({ uri }) => (uris.has(uri) ? [] : [`${media.mid}: ${uri}`])),
      ...codecsOf(media).flatMap(({ payload, meaning }) =>
        meanings.has(`${payload} ${meaning}`) ? [] : [`${media.mid}: ${payload} ${meaning}`],
      ),
      ...(FITTING[offered.direction ?? "sendrecv"]?.includes(media.direction ?? "sendrecv")
        ? []
        : [`${media.mid}: ${offered.direction} answered by ${media.direction}`]),
    ];
  });
}

const FITTING: Readonly<Record<string, readonly string[]>> = {
  sendrecv: ["sendrecv", "sendonly", "recvonly", "inactive"],
  sendonly: ["recvonly", "inactive"],
  recvonly: ["sendonly", "inactive"],
  inactive: ["inactive"],
};
