import { Checkbox, Table, UnstyledButton } from '@mantine/core';
import { tableFeatures, useTable, type ColumnDef, type RowData } from '@tanstack/react-table';
import { useWindowVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useLayoutEffect, useRef, useState, type ReactNode } from 'react';

/** Rows before and after those that are seen. */
const OVERSCAN = 12;
const ROW_PX = 34;

const features = tableFeatures({});

export type Columns<Row extends RowData> = ColumnDef<typeof features, Row, any>[];

interface DataTableProps<Row extends RowData> {
  /** Names the table for those who hear it. */
  readonly label: string;
  readonly rows: readonly Row[];
  /** Made once, outside the component. A column whose id is in `wide` is left out on a phone. */
  readonly columns: Columns<Row>;
  readonly wide?: readonly string[];
  readonly keyOf: (row: Row) => string;
  /** The column by which the rows are sorted. */
  readonly sorted?: { readonly column: string; readonly by: 'ascending' | 'descending' };
  readonly onOpen?: (row: Row) => void;
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

/** A table of any length: only the rows in sight are in the page. The window scrolls it. */
export function DataTable<Row extends RowData>(props: DataTableProps<Row>) {
  const { label, rows, columns, wide = [], keyOf, sorted, onOpen, onEnd, selection } = props;
  const table = useTable({ features, columns, data: rows as Row[], getRowId: keyOf });
  const all = table.getRowModel().rows;
  const body = useRef<HTMLTableSectionElement>(null);
  const [scrollMargin, setScrollMargin] = useState(0);
  useLayoutEffect(() => setScrollMargin((body.current?.getBoundingClientRect().top ?? 0) + window.scrollY), []);
  const virtual = useWindowVirtualizer({
    count: all.length,
    estimateSize: () => ROW_PX,
    overscan: OVERSCAN,
    scrollMargin,
    getItemKey: (at) => all[at]!.id,
  });
  const seen = virtual.getVirtualItems();
  const last = seen.at(-1)?.index ?? -1;
  useEffect(() => {
    if (last >= all.length - 1) onEnd?.();
  }, [last, all.length, onEnd]);
  const sightOf = (column: string) => (wide.includes(column) ? { visibleFrom: 'md' } : {});
  const above = (seen[0]?.start ?? scrollMargin) - scrollMargin;
  const below = virtual.getTotalSize() - ((seen.at(-1)?.end ?? scrollMargin) - scrollMargin);
  return (
    <Table
      aria-label={label}
      aria-rowcount={all.length}
      highlightOnHover={onOpen !== undefined}
      stickyHeader
      stickyHeaderOffset="var(--app-shell-header-height)"
    >
      <Table.Thead>
        {table.getHeaderGroups().map((group) => (
          <Table.Tr key={group.id}>
            {selection && <ChooseAll keys={all.map(({ id }) => id)} {...selection} />}
            {group.headers.map((header) => (
              <Table.Th
                key={header.id}
                scope="col"
                aria-sort={sorted?.column === header.column.id ? sorted.by : undefined}
                {...sightOf(header.column.id)}
              >
                <table.FlexRender header={header} />
              </Table.Th>
            ))}
          </Table.Tr>
        ))}
      </Table.Thead>
      <Table.Tbody ref={body}>
        <Spacer px={above} />
        {seen.map(({ index }) => {
          const row = all[index]!;
          return (
            <Table.Tr
              key={row.id}
              data-index={index}
              ref={virtual.measureElement}
              onClick={() => onOpen?.(row.original)}
              style={onOpen && { cursor: 'pointer' }}
            >
              {selection && <Choose of={row.id} {...selection} />}
              {row.getAllCells().map((cell) => (
                <Table.Td key={cell.id} {...sightOf(cell.column.id)}>
                  <table.FlexRender cell={cell} />
                </Table.Td>
              ))}
            </Table.Tr>
          );
        })}
        <Spacer px={below} />
      </Table.Tbody>
    </Table>
  );
}

function ChooseAll({ keys, chosen, onChange }: Selection & { readonly keys: readonly string[] }) {
  const isAll = keys.every((key) => chosen.has(key));
  return (
    <Table.Th w={36} scope="col">
      <Checkbox
        size="xs"
        aria-label="Choose all rows that are loaded"
        checked={isAll}
        indeterminate={!isAll && chosen.size > 0}
        onChange={() => onChange(new Set(isAll ? [] : keys))}
      />
    </Table.Th>
  );
}

function Choose({ of, chosen, onChange, labelOf }: Selection & { readonly of: string }) {
  const turned = new Set(chosen);
  if (!turned.delete(of)) turned.add(of);
  return (
    <Table.Td onClick={(event) => event.stopPropagation()}>
      <Checkbox size="xs" aria-label={labelOf(of)} checked={chosen.has(of)} onChange={() => onChange(turned)} />
    </Table.Td>
  );
}

function Spacer({ px }: { readonly px: number }) {
  return px > 0 && <tr aria-hidden style={{ height: px }} />;
}

interface SortHeadProps {
  /** How the rows are sorted by this column; undefined: they are not. */
  readonly sorted: 'ascending' | 'descending' | undefined;
  readonly isNumber?: boolean;
  readonly onSort: () => void;
  readonly children: ReactNode;
}

/** The head of a column by which a table can be sorted. */
export function SortHead({ sorted, isNumber = false, onSort, children }: SortHeadProps) {
  return (
    <UnstyledButton
      display="block"
      w="100%"
      ta={isNumber ? 'right' : 'left'}
      fz="inherit"
      fw={sorted === undefined ? 600 : 700}
      style={{ whiteSpace: 'nowrap' }}
      onClick={onSort}
    >
      {children}
      <span aria-hidden>{sorted === undefined ? '' : sorted === 'descending' ? ' ↓' : ' ↑'}</span>
    </UnstyledButton>
  );
}
