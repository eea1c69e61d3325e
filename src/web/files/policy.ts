/** Headers of every file of the console. */
export const FILE_HEADERS: Readonly<Record<string, string>> = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
};

/**
 * Headers of the page. It runs scripts of this address alone, none that stands in the page, and talks to nobody else. The nonce is for the styles
 * that the components write into the page.
 */
export function pageHeaders(nonce: string): Readonly<Record<string, string>> {
  const policy = [
    "default-src 'none'",
    "script-src 'self'",
    `style-src 'self' 'nonce-${nonce}'`,
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    "worker-src 'self'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
    "form-action 'self'",
  ];
  return {
    ...FILE_HEADERS,
    'content-security-policy': policy.join('; '),
    'cross-origin-opener-policy': 'same-origin',
    'cache-control': 'no-store',
  };
}
