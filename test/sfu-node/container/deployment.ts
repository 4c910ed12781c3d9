import { parse, parseAllDocuments } from "yaml";
import * as z from "zod";

const Environment = z.record(z.string(), z.string());

const Build = z.object({ context: z.string(), dockerfile: z.string() });

const Service = z.object({
  image: z.string(),
  build: Build.optional(),
  network_mode: z.literal("host").optional(),
  read_only: z.boolean().default(false),
  stop_grace_period: z
    .string()
    .regex(/^\d+s$/)
    .optional(),
  environment: Environment,
});

/** What the compose file says of a service. */
export type Service = z.infer<typeof Service>;

const Compose = z.object({ services: z.record(z.string(), Service) });

/**
 * The services of a compose file, its variables put in as docker compose does.
 * @throws what a `${NAME:?message}` says, when there is no such variable
 */
export function readCompose(text: string, env: Readonly<Record<string, string>>): Record<string, Service> {
  const document: unknown = parse(text, { merge: true });
  return Compose.parse(interpolated(document, env)).services;
}

function interpolated(value: unknown, env: Readonly<Record<string, string>>): unknown {
  if (typeof value === "string") return interpolate(value, env);
  if (Array.isArray(value)) return value.map((item) => interpolated(item, env));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, interpolated(item, env)]));
}

function interpolate(text: string, env: Readonly<Record<string, string>>): string {
  return text.replaceAll(/\$\{(\w+)(?::([-?])([^}]*))?\}/g, (_all, name: string, kind?: string, word = "") => {
    const value = env[name];
    if (value) return value;
    if (kind === "?") throw new Error(`${name} ${word}`);
    return word;
  });
}

const FieldOrSecret = z.union([
  z.object({ fieldRef: z.object({ fieldPath: z.string() }) }),
  z.object({ secretKeyRef: z.object({ name: z.string(), key: z.string() }) }),
]);

const Probe = z.object({
  httpGet: z.object({ host: z.string(), port: z.int(), path: z.string() }),
  periodSeconds: z.int(),
  timeoutSeconds: z.int(),
  failureThreshold: z.int().default(3),
});

const Container = z.object({
  image: z.string(),
  env: z.array(
    z.union([
      z.object({ name: z.string(), value: z.string() }),
      z.object({ name: z.string(), valueFrom: FieldOrSecret }),
    ]),
  ),
  ports: z.array(z.object({ name: z.string().max(15), containerPort: z.int(), protocol: z.enum(["UDP", "TCP"]) })),
  readinessProbe: Probe,
  livenessProbe: Probe,
  lifecycle: z.object({ preStop: z.object({ exec: z.object({ command: z.array(z.string()).min(1) }) }) }),
  resources: z.object({
    requests: z.object({ cpu: z.string(), memory: z.string() }),
    limits: z.object({ memory: z.string() }),
  }),
  securityContext: z.object({
    allowPrivilegeEscalation: z.boolean(),
    readOnlyRootFilesystem: z.boolean(),
    capabilities: z.object({ drop: z.array(z.string()) }),
  }),
});

const Labels = z.record(z.string(), z.string());

const Deployment = z.object({
  kind: z.literal("Deployment"),
  spec: z.object({
    selector: z.object({ matchLabels: Labels }),
    template: z.object({
      metadata: z.object({ labels: Labels }),
      spec: z.object({
        hostNetwork: z.boolean(),
        terminationGracePeriodSeconds: z.int(),
        affinity: z.object({
          podAntiAffinity: z.object({
            requiredDuringSchedulingIgnoredDuringExecution: z.tuple([
              z.object({ topologyKey: z.string(), labelSelector: z.object({ matchLabels: Labels }) }),
            ]),
          }),
        }),
        securityContext: z.object({ runAsNonRoot: z.boolean(), runAsUser: z.int(), runAsGroup: z.int() }),
        containers: z.tuple([Container]),
      }),
    }),
  }),
});

const DisruptionBudget = z.object({
  kind: z.literal("PodDisruptionBudget"),
  spec: z.object({ maxUnavailable: z.int(), selector: z.object({ matchLabels: Labels }) }),
});

const Manifest = z.tuple([Deployment, DisruptionBudget]);

/** The documents of the Kubernetes manifest. */
export function readManifest(text: string): z.infer<typeof Manifest> {
  const documents = parseAllDocuments(text);
  for (const { errors } of documents) if (errors[0]) throw errors[0];
  return Manifest.parse(documents.map((document) => document.toJS()));
}

/** The environment of the manifest's container, with what the cluster would put in for a field or a secret. */
export function podEnvironment(
  { env }: z.infer<typeof Container>,
  { fields, secrets }: { fields: Readonly<Record<string, string>>; secrets: Readonly<Record<string, string>> },
): Record<string, string> {
  return Object.fromEntries(
    env.map((variable) => {
      if ("value" in variable) return [variable.name, variable.value];
      const from = variable.valueFrom;
      const value = "fieldRef" in from ? fields[from.fieldRef.fieldPath] : secrets[from.secretKeyRef.key];
      if (value === undefined) throw new Error(`nothing stands in for ${variable.name}`);
      return [variable.name, value];
    }),
  );
}
