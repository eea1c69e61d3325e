import { defineConfig } from 'vite';

/** The service that answers beside `npm run console:dev`. */
const SERVICE = `http://127.0.0.1:${process.env['PORT'] ?? '7423'}`;

export default defineConfig({
  base: '/console/',
  publicDir: false,
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
