/** A sign-in in this sandbox takes five redirects; more than this means a loop. */
const MAX_REDIRECTS = 20;

export interface Page {
  readonly url: URL;
  readonly status: number;
  readonly html: string;
}

/** A user's browser, as far as signing in needs one: cookies, redirects, forms. It runs no script. */
export interface Browser {
  open(url: string): Promise<Page>;
  /** Fills in and submits the first form of a page. */
  submit(page: Page, fields: Readonly<Record<string, string>>): Promise<Page>;
  /** Returns the header `Cookie` of a request to this URL. */
  cookiesFor(url: string): string;
}

export function createBrowser(): Browser {
  const cookies = new Map<string, string>();

  async function request(method: string, url: URL, body?: URLSearchParams): Promise<Page> {
    let [currentMethod, current, currentBody] = [method, url, body];
    for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects += 1) {
      const response = await fetch(current, {
        method: currentMethod,
        redirect: 'manual',
        headers: { accept: 'text/html', cookie: cookieHeader(current) },
        ...(currentBody === undefined ? {} : { body: currentBody }),
      });
      keepCookies(current, response.headers.getSetCookie());
      const location = response.headers.get('location');
      const html = await response.text();
      if (location === null) return { url: current, status: response.status, html };
      // RFC 9110, section 15.4: the sandbox redirects with 302 and 303, and a browser follows both with GET.
      [currentMethod, current, currentBody] = ['GET', new URL(location, current), undefined];
    }
    throw new Error('too many redirects');
  }

  function keepCookies(url: URL, headers: readonly string[]): void {
    for (const header of headers) {
      const [pair = '', ...attributes] = header.split(';').map((part) => part.trim());
      const [name = '', ...value] = pair.split('=');
      const path = attributes.find((attribute) => /^path=/i.test(attribute))?.slice('path='.length) ?? '/';
      const expired = attributes.some(
        (attribute) => /^expires=.*\b1970\b/i.test(attribute) || /^max-age=0$/i.test(attribute),
      );
      const key = JSON.stringify([url.host, path, name]);
      if (expired) cookies.delete(key);
      else cookies.set(key, value.join('='));
    }
  }

  function cookieHeader(url: URL): string {
    return [...cookies]
      .map(([key, value]) => [...(JSON.parse(key) as [string, string, string]), value] as const)
      .filter(([host, path]) => host === url.host && url.pathname.startsWith(path))
      .map(([, , name, value]) => `${name}=${value}`)
      .join('; ');
  }

  return {
    open: (url) => request('GET', new URL(url)),
    cookiesFor: (url) => cookieHeader(new URL(url)),
    submit(page, fields) {
      const form = readForm(page);
      return request('POST', form.action, new URLSearchParams({ ...form.hidden, ...fields }));
    },
  };
}

function readForm(page: Page): { action: URL; hidden: Record<string, string> } {
  const form = /<form\b[^>]*>/i.exec(page.html)?.[0];
  if (form === undefined) throw new Error(`no form at ${page.url.origin}${page.url.pathname} (status ${page.status})`);
  const hidden = [...page.html.matchAll(/<input\b[^>]*type="hidden"[^>]*>/gi)].map(
    ([input]) => [attributeOf(input, 'name') ?? '', attributeOf(input, 'value') ?? ''] as const,
  );
  return { action: new URL(attributeOf(form, 'action') ?? '', page.url), hidden: Object.fromEntries(hidden) };
}

function attributeOf(tag: string, name: string): string | undefined {
  const value = new RegExp(`\\b${name}="([^"]*)"`, 'i').exec(tag)?.[1];
  return value?.replace(/&#(\d+);/g, (_match, code: string) => String.fromCharCode(Number(code)));
}
