import { Table } from '@mantine/core';
import { FlexRender, tableFeatures, useTable, type ColumnDef, type Row, type RowData } from '@tanstack/react-table';
import { useWindowVirtualizer } from '@tanstack/react-virtual';
import { memo, useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react';
import cells from './cells.module.css';
import classes from './data-table.module.css';

/** Rows before and after those that are seen. */
const OVERSCAN = 4;
/** A row of two lines, as most are. Each is measured when it is drawn. */
const ROW_PX = 56;

const features = tableFeatures({});
const NONE: readonly string[] = [];

export type Columns<Item extends RowData> = ColumnDef<typeof features, Item, any>[];

interface DataTableProps<Item extends RowData> {
  /** Names the table for those who hear it. */
  readonly label: string;
  readonly rows: readonly Item[];
  /** Made once, outside the component. A column whose id is in `wide` is left out on a phone. */
  readonly columns: Columns<Item>;
  readonly wide?: readonly string[];
  readonly keyOf: (row: Item) => string;
  /** The column by which the rows are sorted. */
  readonly sorted?: { readonly column: string; readonly by: 'ascending' | 'descending' };
  readonly onOpen?: (row: Item) => void;
  /** Called when the last rows come into sight. */
  readonly onEnd?: () => void;
  readonly selection?: Selection;
}

/** Rows that are chosen, by their keys. */
export interface Selection {
  readonly chosen: ReadonlySet<string>;
  readonly onChange: (chosen: ReadonlySet<string>) => void;
  /** Names the box of a row for those who hear it. */
  readonly labelOf: (key: string) => string;
}

const sightOf = (wide: readonly string[], column: string) => (wide.includes(column) ? { visibleFrom: 'md' } : {});

/** A table of any length: only the rows in sight are in the page. The window scrolls it. */
export function DataTable<Item extends RowData>(props: DataTableProps<Item>) {
  const { label, rows, columns, wide = NONE, keyOf, sorted, onOpen, onEnd, selection } = props;
  const body = useRef<HTMLTableSectionElement>(null);
  const [top, setTop] = useState<number>();
  const scrollMargin = top ?? 0;
  useLayoutEffect(() => {
    const measure = () => setTop(Math.round((body.current?.getBoundingClientRect().top ?? 0) + window.scrollY));
    measure();
    // Parts above the table may come later than its rows.
    const observer = new ResizeObserver(measure);
    observer.observe(document.body);
    return () => observer.disconnect();
  }, []);
  const virtual = useWindowVirtualizer({
    count: rows.length,
    // Until it is known where the table begins, nobody knows which rows are in sight.
    enabled: top !== undefined,
    estimateSize: () => ROW_PX,
    overscan: OVERSCAN,
    scrollMargin,
  });
  const seen = virtual.getVirtualItems();
  // The table knows the rows in sight alone: a list may have 100,000.
  const table = useTable({ features, columns, data: seen.map(({ index }) => rows[index]!), getRowId: keyOf });
  const keys = useMemo(() => (selection ? rows.map(keyOf) : NONE), [selection, rows, keyOf]);
  const last = seen.at(-1)?.index ?? -1;
  useEffect(() => {
    if (last >= rows.length - 1) onEnd?.();
  }, [last, rows.length, onEnd]);
  // Rows are drawn again only if what they show is another, and not because their page made another function.
  const latest = useRef(onOpen);
  useEffect(() => void (latest.current = onOpen));
  const open = useCallback((item: Item) => latest.current?.(item), []);
  const above = (seen[0]?.start ?? scrollMargin) - scrollMargin;
  const below = virtual.getTotalSize() - ((seen.at(-1)?.end ?? scrollMargin) - scrollMargin);
  return (
    <Table
      aria-label={label}
      aria-rowcount={rows.length}
      stickyHeader
      stickyHeaderOffset="var(--app-shell-header-height)"
    >
      <Table.Thead>
        {table.getHeaderGroups().map((group) => (
          <Table.Tr key={group.id}>
            {selection && <ChooseAll keys={keys} {...selection} />}
            {group.headers.map((header) => (
              <Table.Th
                key={header.id}
                scope="col"
                aria-sort={sorted?.column === header.column.id ? sorted.by : undefined}
                {...sightOf(wide, header.column.id)}
              >
                <table.FlexRender header={header} />
              </Table.Th>
            ))}
          </Table.Tr>
        ))}
      </Table.Thead>
      <Table.Tbody ref={body}>
        <Spacer px={above} />
        {table.getRowModel().rows.map((row, nth) => (
          <DataRow
            key={row.id}
            row={row}
            index={seen[nth]!.index}
            columns={columns}
            wide={wide}
            measure={virtual.measureElement}
            onOpen={onOpen && open}
            selection={selection}
          />
        ))}
        <Spacer px={below} />
      </Table.Tbody>
    </Table>
  );
}

interface DataRowProps<Item extends RowData> {
  readonly row: Row<typeof features, Item>;
  readonly index: number;
  readonly columns: Columns<Item>;
  readonly wide: readonly string[];
  readonly measure: (node: Element | null) => void;
  readonly onOpen: ((row: Item) => void) | undefined;
  readonly selection: Selection | undefined;
}

const WIDE_CELL = `${cells.cell} mantine-visible-from-md`;

/** Rows that stay in sight are not drawn again while the window scrolls. */
const DataRow = memo(
  function DataRow({ row, index, wide, measure, onOpen, selection }: DataRowProps<any>) {
    return (
      <tr
        data-index={index}
        ref={measure}
        onClick={onOpen && (() => onOpen(row.original))}
        className={onOpen ? `${cells.row} ${classes.opens}` : cells.row}
      >
        {selection && <Choose of={row.id} {...selection} />}
        {row.getAllCells().map((cell) => (
          <td key={cell.id} className={wide.includes(cell.column.id) ? WIDE_CELL : cells.cell}>
            <FlexRender cell={cell} />
          </td>
        ))}
      </tr>
    );
  },
  ({ row: before, ...rest }, { row: after, ...others }) =>
    before.original === after.original &&
    (Object.keys(rest) as (keyof typeof rest)[]).every((prop) => rest[prop] === others[prop]),
);

function ChooseAll({ keys, chosen, onChange }: Selection & { readonly keys: readonly string[] }) {
  const isAll = keys.every((key) => chosen.has(key));
  const isSome = !isAll && chosen.size > 0;
  return (
    <Table.Th w={36} scope="col">
      <input
        type="checkbox"
        className={classes.box}
        aria-label="Choose all rows that are loaded"
        checked={isAll}
        ref={(box) => {
          if (box) box.indeterminate = isSome;
        }}
        onChange={() => onChange(new Set(isAll ? [] : keys))}
      />
    </Table.Th>
  );
}

function Choose({ of, chosen, onChange, labelOf }: Selection & { readonly of: string }) {
  const turn = (): void => {
    const turned = new Set(chosen);
    if (!turned.delete(of)) turned.add(of);
    onChange(turned);
  };
  return (
    <td className={cells.cell} onClick={(event) => event.stopPropagation()}>
      <input
        type="checkbox"
        className={classes.box}
        aria-label={labelOf(of)}
        checked={chosen.has(of)}
        onChange={turn}
      />
    </td>
  );
}

function Spacer({ px }: { readonly px: number }) {
  return px > 0 && <tr aria-hidden style={{ height: px }} />;
}
