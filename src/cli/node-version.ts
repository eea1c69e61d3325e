/** The releases of Node that the service runs on: `engines` of package.json says the same, and a spec compares them. */
const SUPPORTED = [
  { major: 22, minor: 22 },
  { major: 24, minor: 11 },
] as const;
const NEWEST = SUPPORTED[SUPPORTED.length - 1]!;

export const SUPPORTED_RANGE = SUPPORTED.map(
  ({ major, minor }, nth) => `${nth === SUPPORTED.length - 1 ? '>=' : '^'}${major}.${minor}.0`,
).join(' || ');

/** Says in one sentence why this Node cannot run the service, and what to do; `undefined` if it can. */
export function nodeProblem(version: string): string | undefined {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number);
  const enough = SUPPORTED.some((release) => major === release.major && minor >= release.minor) || major > NEWEST.major;
  if (enough) return undefined;
  return (
    `Rescind needs Node 22.22 or Node 24.11 or newer, and this is Node ${version.replace(/^v/, '')}: ` +
    'install one from https://nodejs.org, or say `npx rescind` in a checkout after `npm install`, which brings its own.'
  );
}
