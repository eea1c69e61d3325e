import type { ApiRoute } from './resource-app/index.js';

interface Contact {
  readonly id: string;
  readonly name: string;
  readonly company: string;
}

/** Routes of the customer database. Reading, adding and exporting contacts need different scopes. */
export function crmRoutes(): readonly ApiRoute[] {
  const contacts: Contact[] = ['Ada Lovelace', 'Grace Hopper', 'Radia Perlman'].map((name, position) => ({
    id: String(position + 1),
    name,
    company: 'Example AG',
  }));
  return [
    {
      method: 'GET',
      template: '/contacts',
      scope: 'crm.read',
      operation: 'read',
      serve: () => ({ status: 200, body: { contacts }, records: contacts.length }),
    },
    {
      method: 'POST',
      template: '/contacts',
      scope: 'crm.write',
      operation: 'write',
      serve: () => {
        const contact = { id: String(contacts.length + 1), name: 'New contact', company: 'Example AG' };
        contacts.push(contact);
        return { status: 201, body: contact, records: 1 };
      },
    },
    {
      method: 'GET',
      template: '/export',
      scope: 'crm.export',
      operation: 'export',
      serve: () => ({ status: 200, body: { contacts, complete: true }, records: contacts.length }),
    },
  ];
}

/** Routes of the file store. */
export function filesRoutes(): readonly ApiRoute[] {
  const documents = new Map([
    ['plan', { id: 'plan', title: 'Plan for the year' }],
    ['minutes', { id: 'minutes', title: 'Minutes of the board' }],
  ]);
  return [
    {
      method: 'GET',
      template: '/documents',
      scope: 'files.read',
      operation: 'read',
      serve: () => ({ status: 200, body: { documents: [...documents.values()] }, records: documents.size }),
    },
    {
      method: 'GET',
      template: '/documents/{id}',
      scope: 'files.read',
      operation: 'read',
      serve: (id) => {
        const document = documents.get(id ?? '');
        return document === undefined
          ? { status: 404, body: { error: 'not_found' }, records: 0 }
          : { status: 200, body: document, records: 1 };
      },
    },
    {
      method: 'DELETE',
      template: '/documents/{id}',
      scope: 'files.delete',
      operation: 'delete',
      serve: (id) => {
        const deleted = documents.delete(id ?? '');
        return { status: deleted ? 200 : 404, body: { deleted }, records: deleted ? 1 : 0 };
      },
    },
  ];
}
