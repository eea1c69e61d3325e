import { readFileSync } from 'node:fs';

/**
 * The part of package-lock.json that a package needs. npm reads it from `npm-shrinkwrap.json`, which unlike a lockfile is published: an
 * install inside the package, as the image does it, takes the versions that were tested. (npm 11 passes it over for a tarball in a file.)
 */
export function shrinkwrapOf({ name, version, license, dependencies, bin, engines }) {
  const { packages, lockfileVersion } = JSON.parse(readFileSync('package-lock.json', 'utf8'));
  const kept = new Map();
  /** Looks a package up as Node does: in the node_modules beside its importer, then in those above. */
  const find = (from, wanted) => {
    for (let at = from; ; at = at.slice(0, Math.max(0, at.lastIndexOf('node_modules/') - 1))) {
      const path = `${at === '' ? '' : `${at}/`}node_modules/${wanted}`;
      if (packages[path] !== undefined) return path;
      if (at === '') return undefined;
    }
  };
  const visit = (from, wanted) => {
    const path = find(from, wanted);
    if (path === undefined || kept.has(path)) return;
    // `dev` and `devOptional` describe the clone, not the package.
    const { dev: _dev, devOptional: _devOptional, ...entry } = packages[path];
    kept.set(path, entry);
    const {
      dependencies: needed,
      optionalDependencies: wished,
      peerDependencies: peers,
      peerDependenciesMeta: meta = {},
    } = entry;
    const required = Object.keys(peers ?? {}).filter((peer) => meta[peer]?.optional !== true);
    for (const next of [...Object.keys({ ...needed, ...wished }), ...required]) visit(path, next);
  };
  for (const dependency of Object.keys(dependencies)) visit('', dependency);
  const sorted = [...kept].sort(([one], [other]) => (one < other ? -1 : 1));
  return {
    name,
    version,
    lockfileVersion,
    requires: true,
    packages: { '': { name, version, license, dependencies, bin, engines }, ...Object.fromEntries(sorted) },
  };
}
