import { useToken } from '../../api/token.js';
import { SideDrawer } from '../degraded/side-drawer.js';
import { Failed, Loading } from '../states.js';
import { Lineage } from './lineage.js';

/** The lineage of a token beside the page that names it. */
export function LineageDrawer({ id, onClose }: { readonly id: string | undefined; readonly onClose: () => void }) {
  return (
    <SideDrawer opened={id !== undefined} onClose={onClose} size="xl" title="Lineage of a token">
      {id !== undefined && <Loaded id={id} />}
    </SideDrawer>
  );
}

function Loaded({ id }: { readonly id: string }) {
  const { data, error, isPending, refetch } = useToken(id);
  if (isPending) return <Loading />;
  if (data === undefined) return <Failed error={error} reset={() => void refetch()} />;
  return <Lineage token={data} />;
}
