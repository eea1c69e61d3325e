import { Button } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useMe } from '../../../api/me.js';
import { useMoment } from '../../../api/moment.js';
import { download } from '../../../api/download.js';
import { Failed } from '../../../display/states.js';
import { askRowsFile } from '../question/queries.js';
import type { ExploreSearch } from '../question/search.js';

/** Exports all uses that are shown, for investigators. */
export function RowsShare({ search }: { readonly search: ExploreSearch }) {
  const { data: me } = useMe();
  const moment = useMoment();
  const { mutate, isPending, error } = useMutation({
    mutationFn: async () => download(await askRowsFile(search, moment), 'uses.csv'),
  });
  const mayExport = me?.may.investigate === true;
  return (
    <>
      <Button
        variant="default"
        loading={isPending}
        disabled={!mayExport}
        title={mayExport ? undefined : 'Exports are for investigators'}
        onClick={() => mutate()}
      >
        All as CSV
      </Button>
      {error !== null && <Failed error={error} />}
    </>
  );
}
