import { Name } from './name.js';

interface Said {
  readonly caller?: string;
  readonly on_behalf_of?: string;
  readonly person?: { readonly iss?: string; readonly sub?: string };
}

/** Names who said something, and the person for whom a caller said it. */
export function Author({ of: { caller, person, on_behalf_of: principal } }: { readonly of: Said }) {
  return (
    <>
      <Name>{person?.sub ?? caller ?? 'unknown'}</Name>
      {principal !== undefined && (
        <>
          {' '}
          for <Name>{principal}</Name>
        </>
      )}
    </>
  );
}
