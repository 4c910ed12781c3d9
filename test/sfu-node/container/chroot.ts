import { type ChildProcess, type StdioOptions, spawn } from "node:child_process";

/** What a command finds where it runs. */
export interface Place {
  /** The folder that is "/". */
  readonly root: string;
  readonly env: Readonly<Record<string, string>>;
  readonly workdir: string;
  /** "uid:gid" of who may do nothing else; null for root, who builds. */
  readonly user: string | null;
  /** Whether "/" can be written to, mounts excepted. */
  readonly readOnly: boolean;
  /** Files and folders of this machine, by the path where they are seen. */
  readonly mounts: Readonly<Record<string, string>>;
}

/** What every engine mounts of its host: names are resolved as they are there. */
const OF_THE_HOST = ["/etc/resolv.conf", "/etc/hosts"];

/** Arguments: root, "ro" or "rw", user or "", workdir, the number of mounts, each as source and target, the command. */
const ENTER = `set -e
root=$1 mode=$2 user=$3 workdir=$4 mounts=$5
shift 5
mount --bind "$root" "$root"
if [ "$mode" = ro ]; then mount -o remount,bind,ro "$root"; fi
while [ "$mounts" -gt 0 ]; do mount --bind "$1" "$root$2"; mounts=$((mounts - 1)); shift 2; done
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
if [ -z "$user" ]; then exec chroot "$root" /bin/sh -c 'cd "$0" && exec "$@"' "$workdir" "$@"; fi
exec setpriv --no-new-privs chroot --groups= --userspec="$user" "$root" /bin/sh -c 'cd "$0" && exec "$@"' "$workdir" "$@"
`;

/** Starts a command as the first process of its own process and mount namespaces, in a root file system of its own. */
export function enter(place: Place, command: readonly string[], stdio: StdioOptions): ChildProcess {
  const { root, env, workdir, user, readOnly } = place;
  const mounts = Object.entries({ ...Object.fromEntries(OF_THE_HOST.map((path) => [path, path])), ...place.mounts });
  const settings = [root, readOnly ? "ro" : "rw", user ?? "", workdir, String(mounts.length)];
  const where = mounts.flatMap(([target, source]) => [source, target]);
  const namespaces = ["--mount", "--pid", "--fork", "--kill-child", "--propagation", "private"];
  return spawn("unshare", [...namespaces, "sh", "-c", ENTER, "enter", ...settings, ...where, ...command], {
    env,
    stdio,
  });
}

/** Starts a command beside the first process of a place, as `docker exec` does. */
export function enterBeside({ env, workdir, user }: Place, pid: number, command: readonly string[]): ChildProcess {
  const [uid = "0", gid = "0"] = user?.split(":") ?? [];
  const who = ["--setuid", uid, "--setgid", gid];
  const inside = ["/bin/sh", "-c", 'cd "$0" && exec "$@"', workdir, ...command];
  const target = ["--target", String(pid), "--mount", "--pid", "--root", "--wd"];
  return spawn("nsenter", [...target, ...who, ...inside], { env, stdio: ["ignore", "pipe", "pipe"] });
}
