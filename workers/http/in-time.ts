/** What was asked for, or null if it fails or takes longer than `ms`: one that does not answer holds up nobody else. */
export async function inTime<T>(asked: Promise<T>, ms: number): Promise<T | null> {
  const { promise: late, resolve } = Promise.withResolvers<null>();
  const timer = setTimeout(() => resolve(null), ms);
  try {
    return await Promise.race([asked.catch(() => null), late]);
  } finally {
    clearTimeout(timer);
  }
}
