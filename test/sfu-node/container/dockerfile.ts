import * as z from "zod";

/** What the project's Dockerfiles are written with. Anything else is an error: a proof that skips a line proves nothing. */
export type Instruction =
  | { readonly keyword: "RUN"; readonly command: string; readonly secrets: readonly Secret[] }
  | { readonly keyword: "COPY"; readonly from: string | null; readonly sources: readonly string[]; readonly to: string }
  | { readonly keyword: "WORKDIR" | "USER" | "STOPSIGNAL" | "VOLUME"; readonly value: string }
  | { readonly keyword: "ENV"; readonly variables: Readonly<Record<string, string>> }
  | { readonly keyword: "EXPOSE"; readonly ports: readonly ExposedPorts[] }
  | { readonly keyword: "HEALTHCHECK" | "ENTRYPOINT"; readonly command: readonly string[] };

/** A file that is mounted for one command and is in no image. */
export interface Secret {
  readonly id: string;
  readonly target: string;
}

export interface ExposedPorts {
  readonly first: number;
  readonly last: number;
  readonly protocol: "udp" | "tcp";
}

export interface Stage {
  /** An image, or the name of an earlier stage. */
  readonly from: string;
  readonly name: string | null;
  readonly instructions: readonly Instruction[];
}

const Command = z.array(z.string()).min(1);

/** @throws when the text has what this cannot read */
export function parseDockerfile(text: string): Stage[] {
  const stages: { from: string; name: string | null; instructions: Instruction[] }[] = [];
  for (const line of logicalLines(text)) {
    const [, keyword = "", rest = ""] = /^([A-Z]+)\s+(.*)$/s.exec(line) ?? [];
    if (keyword === "FROM") {
      const [, from, name] = matched(/^(\S+)(?: AS (\S+))?$/, rest);
      stages.push({ from: from ?? "", name: name ?? null, instructions: [] });
      continue;
    }
    const stage = stages.at(-1);
    if (!stage) throw new Error(`before the first FROM: ${line}`);
    stage.instructions.push(parseInstruction(keyword, rest));
  }
  return stages;
}

/** Comments go, continued lines are one. */
function logicalLines(text: string): string[] {
  const lines = text.split("\n").filter((line) => !/^\s*(#|$)/.test(line));
  return lines
    .join("\n")
    .replaceAll(/\s*\\\n\s*/g, " ")
    .split("\n");
}

function parseInstruction(keyword: string, rest: string): Instruction {
  switch (keyword) {
    case "RUN":
      return parseRun(rest);
    case "COPY":
      return parseCopy(rest);
    case "WORKDIR":
    case "USER":
    case "STOPSIGNAL":
    case "VOLUME":
      return { keyword, value: rest };
    case "ENV":
      return { keyword, variables: Object.fromEntries(rest.split(/\s+/).map(assignment)) };
    case "EXPOSE":
      return { keyword, ports: rest.split(/\s+/).map(exposedPorts) };
    case "HEALTHCHECK":
      return { keyword, command: Command.parse(JSON.parse(rest.slice(rest.indexOf("CMD ") + 4))) };
    case "ENTRYPOINT":
      return { keyword, command: Command.parse(JSON.parse(rest)) };
  }
  throw new Error(`an instruction that the proof does not carry out: ${keyword} ${rest}`);
}

function parseRun(rest: string): Instruction {
  const secrets: Secret[] = [];
  const command = rest.replaceAll(
    /--mount=type=secret,id=(\S+?),target=(\S+)\s+/g,
    (_all, id: string, target: string) => {
      secrets.push({ id, target });
      return "";
    },
  );
  if (command.startsWith("--")) throw new Error(`a flag that the proof does not carry out: RUN ${command}`);
  return { keyword: "RUN", command, secrets };
}

function parseCopy(rest: string): Instruction {
  const [, from, paths = ""] = matched(/^(?:--from=(\S+) )?([^-].*)$/, rest);
  const words = paths.split(/\s+/);
  const to = words.pop() ?? "";
  return { keyword: "COPY", from: from ?? null, sources: words, to };
}

function assignment(word: string): [string, string] {
  const [, name = "", value = ""] = matched(/^([A-Z_]+)=(\S*)$/, word);
  return [name, value];
}

function exposedPorts(word: string): ExposedPorts {
  const [, first, last, protocol] = matched(/^(\d+)(?:-(\d+))?\/(udp|tcp)$/, word);
  return { first: Number(first), last: Number(last ?? first), protocol: protocol === "udp" ? "udp" : "tcp" };
}

function matched(pattern: RegExp, text: string): RegExpExecArray {
  const match = pattern.exec(text);
  if (!match) throw new Error(`not understood in a Dockerfile: ${text}`);
  return match;
}
