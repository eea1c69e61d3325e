import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Provider } from 'oidc-provider';
import type { Directory } from './directory.js';
import { escapeHtml, readForm, sendHtml } from '../http-forms.js';

export const SIGN_IN_PATH = '/sign-in';

/** Serves the login form, which is plain HTML without scripts. Returns false if the request is not for the form. */
export function createSignIn(provider: Provider, directory: Directory) {
  return async (request: IncomingMessage, response: ServerResponse): Promise<boolean> => {
    if (!request.url?.startsWith(`${SIGN_IN_PATH}/`)) return false;
    // Throws if the interaction's own cookie is missing or belongs to another interaction; this also protects against forged requests.
    const interaction = await provider.interactionDetails(request, response);
    const client = String(interaction.params.client_id);
    if (request.method !== 'POST') {
      sendHtml(response, 200, loginPage(request.url, client));
      return true;
    }
    const form = await readForm(request);
    const user = directory.authenticate(form.get('login') ?? '', form.get('password') ?? '');
    if (user === undefined) {
      sendHtml(response, 401, loginPage(request.url, client, 'This login and password do not match.'));
      return true;
    }
    await provider.interactionFinished(request, response, { login: { accountId: user.sub, amr: ['pwd'] } });
    return true;
  };
}

function loginPage(action: string, client: string, problem?: string): string {
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>Sign in</title>
<h1>Sign in to continue to ${escapeHtml(client)}</h1>
${problem === undefined ? '' : `<p role="alert">${escapeHtml(problem)}</p>`}
<form method="post" action="${escapeHtml(action)}">
<label>Login <input name="login" autocomplete="username" required></label>
<label>Password <input name="password" type="password" autocomplete="current-password" required></label>
<button>Sign in</button>
</form></html>`;
}
