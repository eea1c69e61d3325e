import { Kbd, Text, UnstyledButton } from '@mantine/core';
import { Spotlight, spotlight } from '@mantine/spotlight';
import classes from './search.module.css';

/** The search box. Ctrl-K opens it from anywhere. */
export function Search() {
  return (
    <>
      <UnstyledButton className={classes.box} onClick={spotlight.open} aria-label="Search">
        <Text span size="sm" c="dimmed" inherit={false}>
          Search
        </Text>
        <Kbd size="xs" visibleFrom="sm">
          Ctrl K
        </Kbd>
      </UnstyledButton>
      <Spotlight
        actions={[]}
        shortcut="mod + K"
        nothingFound="Nothing is found."
        searchProps={{ placeholder: 'Search', 'aria-label': 'Search' }}
      />
    </>
  );
}
