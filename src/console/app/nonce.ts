import { setNonce } from 'get-nonce';

/** The nonce that the server put into the page: styles that components write must have it. */
export const styleNonce = (): string =>
  document.querySelector<HTMLMetaElement>('meta[property=csp-nonce]')?.nonce ?? '';

// Drawers and dialogs stop the page from scrolling with a style of their own.
setNonce(styleNonce());
