export {
  CALLBACK_PATH,
  createClientApp,
  SIGNED_OUT_PATH,
  type ClientApp,
  type ClientAppOptions,
  type ClientRegistration,
  type RedeemedToken,
} from './client-app.js';
export { createBrowser, type Browser, type Page } from './browser.js';
