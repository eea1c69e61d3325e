import '@mantine/core/styles.css';
import '@mantine/spotlight/styles.css';
import './app/app.css';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app/app.js';
import { createQueryClient } from './api/query-client.js';
import { createConsoleRouter } from './router.js';

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <App router={createConsoleRouter()} queries={createQueryClient()} />
  </StrictMode>,
);
