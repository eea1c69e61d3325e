import { defineConfig } from 'vite';

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
});
