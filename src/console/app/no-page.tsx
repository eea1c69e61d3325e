import { Text, Title } from '@mantine/core';
import { useLocation } from '@tanstack/react-router';

export function NoPage() {
  const { pathname } = useLocation();
  return (
    <>
      <Title order={1}>There is no such page</Title>
      <Text>Nothing is at {pathname} in this console.</Text>
    </>
  );
}
