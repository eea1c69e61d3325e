/** Gives a promise up after a time. What it does goes on; its outcome is then nobody's. */
export async function inTime<T>(
  work: Promise<T>,
  { ms, what }: { readonly ms: number; readonly what: string },
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([work, tooLate]);
  } finally {
    clearTimeout(timer);
  }
}
