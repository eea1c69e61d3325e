import { ActionIcon, Menu, useMantineColorScheme, type MantineColorScheme } from '@mantine/core';

const CHOICES: readonly { readonly scheme: MantineColorScheme; readonly label: string; readonly sign: string }[] = [
  { scheme: 'light', label: 'Light', sign: '☀' },
  { scheme: 'dark', label: 'Dark', sign: '☾' },
  { scheme: 'auto', label: 'As the system', sign: '◐' },
];

export function ColourScheme() {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const chosen = CHOICES.find(({ scheme }) => scheme === colorScheme) ?? CHOICES[0]!;
  return (
    <Menu position="bottom-end" withinPortal>
      <Menu.Target>
        <ActionIcon aria-label={`Colours: ${chosen.label.toLowerCase()}`}>{chosen.sign}</ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {CHOICES.map(({ scheme, label, sign }) => (
          <Menu.Item key={scheme} leftSection={sign} onClick={() => setColorScheme(scheme)}>
            {label}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
