const HERE = 'http://here.invalid';

/** Address that begins a sign-in. `anew`: the person must sign in again, even if the identity provider remembers them. */
export function signInUrl({
  returnTo,
  anew = false,
}: {
  readonly returnTo?: string | undefined;
  readonly anew?: boolean;
} = {}): string {
  const url = new URL('/console/sign-in', HERE);
  if (returnTo !== undefined) url.searchParams.set('return_to', returnTo);
  if (anew) url.searchParams.set('anew', 'true');
  return url.pathname + url.search;
}

/** The page that is open, to come back to it. */
export const thisPage = (): string => window.location.pathname + window.location.search + window.location.hash;

/** Address of the page for people who have not signed in. */
export const welcomeUrl = (returnTo: string): string =>
  `/console/welcome?${new URLSearchParams({ return_to: returnTo })}`;

/** Uses a link up. Sign-in and sign-out stand beside the API, so its client does not know them. Rejects with the refusal. */
export async function signInByLink(code: string): Promise<void> {
  await post('/console/link', new URLSearchParams({ code }));
}

export async function signOut(): Promise<void> {
  await post('/console/sign-out');
  window.location.assign('/console/welcome');
}

async function post(path: string, body?: URLSearchParams): Promise<void> {
  const headers = { 'x-rescind-console': '1' };
  const response = await fetch(path, { method: 'POST', headers, ...(body === undefined ? {} : { body }) });
  if (!response.ok) throw (await response.json()) as unknown;
}
