import { List, Stack, Text } from '@mantine/core';
import { Copied } from '../../display/copied.js';
import { Moment } from '../../display/moment.js';
import { PageLink } from '../../display/page-link.js';
import type { LedgerState } from './state.js';

/** The keys that sign or signed the ledger, the oldest first, to be copied and kept elsewhere. */
export function Keys({ of: { keys } }: { readonly of: LedgerState }) {
  return (
    <Stack gap="xs">
      {keys.map(({ text, key, since, until, signed }) => (
        <div key={text}>
          <Text size="sm">
            Key {key?.id ?? 'of another kind'}
            <Text span inherit c="dimmed">
              , since <Moment at={since} />
              {until !== null && (
                <>
                  {' '}
                  until <Moment at={until} />
                </>
              )}
              {signed ? ', signed the newest checkpoint' : ', did not sign the newest checkpoint'}
            </Text>
          </Text>
          <Copied label={`Verifier key ${key?.id ?? ''}`}>{text}</Copied>
        </div>
      ))}
    </Stack>
  );
}

/** The commands of somebody who does not trust this page. */
export function HowToCheck({ of: { tenant, keys } }: { readonly of: LedgerState }) {
  const address = `${window.location.origin}/ledger/${tenant}/`;
  const key = keys.findLast(({ signed }) => signed)?.text ?? keys.at(-1)?.text ?? '<verifier key>';
  return (
    <List
      type="ordered"
      size="sm"
      spacing="sm"
      styles={{ itemWrapper: { display: 'block' }, itemLabel: { width: '100%' } }}
    >
      <List.Item>
        Keep a verifier key and a checkpoint where this service cannot reach them. A later ledger that does not continue
        that checkpoint was changed.
        <Copied label="Command that fetches the checkpoint">{`curl ${address}checkpoint`}</Copied>
      </List.Item>
      <List.Item>
        Walk the whole ledger over HTTP, and recompute every hash of it. Tiles need the key of a caller with the role
        audit, in a file.
        <Copied label="Command that walks the ledger">{`rescind fsck ${address} --key '${key}' --bearer key-file`}</Copied>
      </List.Item>
      <List.Item>
        Check one entry offline, or{' '}
        <PageLink to="/verify" inherit>
          in a browser that sends nothing
        </PageLink>
        . Evidence files are offered beside every entry.
        <Copied label="Command that checks evidence">{`rescind verify 1234.evidence.json --key '${key}'`}</Copied>
      </List.Item>
    </List>
  );
}
