import { Button, type ButtonProps } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { download } from '../../api/download.js';
import { useMe } from '../../api/me.js';
import { countText } from '../numbers.js';
import { Failed } from '../states.js';
import { askArchive, askEvidence } from './queries.js';

/** Downloads the evidence that the ledger holds an entry, which `rescind verify` and the page `/verify` check. */
export function EvidenceOfEntry({ index }: { readonly index: string }) {
  const { mutate, isPending, error } = useMutation({
    mutationFn: async () => {
      const { file, name } = await askEvidence(index);
      download(file, name);
    },
  });
  return (
    <>
      <Button size="compact-xs" variant="default" loading={isPending} onClick={() => mutate()}>
        Evidence file
      </Button>
      {error !== null && <Failed error={error} />}
    </>
  );
}

/** Most entries whose evidence is asked for at once. */
const MAX_ENTRIES = 1_000;

/** Downloads the evidence of the entries behind rows that are shown: for investigators, since it holds what the events said. */
export function EvidenceOfRows({
  indexes,
  size,
}: {
  readonly indexes: readonly (string | null)[];
  readonly size?: ButtonProps['size'];
}) {
  const { data: me } = useMe();
  const entries = [...new Set(indexes)].filter((index) => index !== null).slice(0, MAX_ENTRIES);
  const { mutate, isPending, error } = useMutation({
    mutationFn: async () => {
      const { file, name } = await askArchive(entries);
      download(file, name);
    },
  });
  const mayExport = me?.may.investigate === true;
  return (
    <>
      <Button
        size={size}
        variant="default"
        loading={isPending}
        disabled={!mayExport || entries.length === 0}
        title={
          mayExport
            ? `Proves the ${countText(entries.length)} entries of the rows that are loaded`
            : 'Exports are for investigators'
        }
        onClick={() => mutate()}
      >
        Evidence of these
      </Button>
      {error !== null && <Failed error={error} />}
    </>
  );
}
