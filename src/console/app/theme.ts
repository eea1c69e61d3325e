import { createTheme, type CSSVariablesResolver, type MantineColorsTuple } from '@mantine/core';

const steel: MantineColorsTuple = [
  '#eef3fa',
  '#dae4f2',
  '#b3c8e5',
  '#89aad8',
  '#6690cc',
  '#4f7fc4',
  '#3f73bd',
  '#3062a6',
  '#2b4c7e',
  '#1d3a66',
];

/** Dense and calm: fonts of the system, small controls, little round, colour for what needs attention. */
export const theme = createTheme({
  primaryColor: 'steel',
  primaryShade: { light: 7, dark: 6 },
  colors: { steel },
  autoContrast: true,
  defaultRadius: 'sm',
  respectReducedMotion: true,
  fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif',
  fontFamilyMonospace: 'ui-monospace, "SF Mono", "Cascadia Mono", "Roboto Mono", monospace',
  headings: { fontWeight: '600', sizes: { h1: { fontSize: '1.25rem' }, h2: { fontSize: '1rem' } } },
  components: {
    // Their header is part of a dialog, not the banner of the page.
    Drawer: { defaultProps: { attributes: { header: { role: 'presentation' } } } },
    // Yellow letters on a yellow ground are too faint.
    Alert: { styles: { label: { color: 'var(--mantine-color-text)' } } },
    Modal: { defaultProps: { attributes: { header: { role: 'presentation' } } } },
    // By default, the list of each closed `Select` is drawn and placed when a page opens.
    Combobox: { defaultProps: { keepMounted: false } },
    ActionIcon: { defaultProps: { variant: 'subtle', color: 'gray' } },
    Select: { defaultProps: { size: 'xs' } },
    MultiSelect: { defaultProps: { size: 'xs' } },
    TextInput: { defaultProps: { size: 'xs' } },
    PasswordInput: { defaultProps: { size: 'xs' } },
    TagsInput: { defaultProps: { size: 'xs' } },
    Textarea: { defaultProps: { size: 'xs' } },
    Button: { defaultProps: { size: 'xs' } },
    Table: { defaultProps: { verticalSpacing: 6, horizontalSpacing: 'sm', fz: 'sm' } },
    Tooltip: { defaultProps: { multiline: true, maw: 480, events: { hover: true, focus: true, touch: true } } },
  },
});

/** The dimmed and the red text of the components are too faint for small letters (WCAG 1.4.3). */
export const variables: CSSVariablesResolver = ({ colors }) => ({
  variables: {},
  light: {
    '--mantine-color-dimmed': colors.gray[7],
    '--mantine-color-placeholder': colors.gray[7],
    '--mantine-color-red-text': colors.red[9],
    '--mantine-color-error': colors.red[9],
  },
  dark: { '--mantine-color-dimmed': colors.dark[1], '--mantine-color-placeholder': colors.dark[1] },
});
