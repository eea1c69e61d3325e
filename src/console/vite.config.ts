import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

/** The service that answers beside `npm run console:dev`. */
const SERVICE = `http://127.0.0.1:${process.env['PORT'] ?? '7423'}`;

const inBrowser = (name: string): string => fileURLToPath(new URL(`./merkle/${name}`, import.meta.url));

export default defineConfig({
  base: '/console/',
  publicDir: false,
  // `src/merkle` runs in a browser as it is, but for the two primitives and `Buffer`, which Node brings.
  resolve: {
    alias: [
      { find: /^\.{1,2}\/sha256\.js$/, replacement: inBrowser('sha256.ts') },
      { find: /^\.{1,2}\/ed25519\.js$/, replacement: inBrowser('ed25519.ts') },
      { find: 'node:buffer', replacement: 'buffer/index.js' },
    ],
  },
  // The server puts a fresh nonce here (`src/web/files/`).
  html: { cspNonce: '__NONCE__' },
  build: {
    outDir: '../../dist/console',
    emptyOutDir: true,
    // A file within a page would need a policy that lets it in.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  // The browser's Host and Origin stay as they are, so that the service takes the pages for its own.
  server: {
    host: '127.0.0.1',
    proxy: Object.fromEntries(
      ['/v1', '/health', '/console/sign-in', '/console/callback', '/console/sign-out', '/console/link'].map((path) => [
        path,
        { target: SERVICE, changeOrigin: false },
      ]),
    ),
  },
});
