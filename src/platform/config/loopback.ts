/** Whether a host is loopback: RFC 5735 section 3, RFC 4291 section 2.5.3, and the name that resolves to them. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.(25[0-5]|2[0-4]\d|1?\d?\d)){3}$/.test(host);
}
