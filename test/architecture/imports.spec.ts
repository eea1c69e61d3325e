import { describe, expect, it } from '@jest/globals';
import { frameworkViolations, importViolations } from './import-rules.js';
import { COMPOSERS, IMPORT_TABLE } from './import-table.js';
import { areaOf, read, sources } from './source-tree.js';

describe('who imports whom (design, section 7)', () => {
  it('every source follows the table', () => {
    expect(sources({ specs: true }).flatMap((file) => importViolations(file, read(file)))).toEqual([]);
  });

  it('every folder of src has a row', () => {
    const areas = new Set(sources().map(areaOf));
    expect([...areas].filter((area) => !(area in IMPORT_TABLE) && !COMPOSERS.has(area))).toEqual([]);
  });

  it('the table has no cycle', () => {
    const settled = new Set<string>();
    const names = Object.keys(IMPORT_TABLE);
    for (let round = 0; round < names.length; round += 1) {
      for (const name of names)
        if (Object.keys(IMPORT_TABLE[name]!.may).every((other) => settled.has(other))) settled.add(name);
    }
    expect(names.filter((name) => !settled.has(name))).toEqual([]);
  });

  it.each<[string, string, RegExp]>([
    [
      'src/rules/rule.ts',
      "import { a } from '../control/index.js'",
      /rules may not import control, because rules run in nodes and in guards/,
    ],
    ['src/rules/rule.ts', "import type { A } from '../control/index.js'", /rules may not import control/],
    ['src/rules/rule.ts', "type A = import('../control/index.js').A", /rules may not import control/],
    ['src/rules/rule.ts', "export { a } from '../control/index.js'", /rules may not import control/],
    ['src/rules/rule.ts', "const a = await import('../control/index.js')", /rules may not import control/],
    ['src/rules/deep/rule.ts', "import '../../control/index.js'", /rules may not import control/],
    ['src/rules/rule.spec.ts', "import { a } from '../control/index.js'", /rules may not import control/],
    ['src/control/a.ts', "import { a } from '../rules/selector.js'", /through its index\.ts/],
    ['src/cli/a.ts', "import { a } from '../rules/selector.js'", /through its index\.ts/],
    [
      'src/platform/log/a.ts',
      "import { eventType } from '../../contracts/index.js'",
      /platform\/log may import only errors of contracts/,
    ],
    [
      'src/platform/log/a.ts',
      "import * as contracts from '../../contracts/index.js'",
      /platform\/log may import only errors of contracts/,
    ],
    ['src/platform/log/a.ts', "import { a } from '../http/index.js'", /platform\/log may not import platform\/http/],
    ['src/platform/http/a.ts', "import { a } from '../log/log.js'", /through its index\.ts/],
    ['src/query/a.ts', "import { a } from '../platform/kafka/index.js'", /query may not import platform\/kafka/],
    [
      'src/console/a.tsx',
      "import { eventType } from '../contracts/index.js'",
      /console may import only types of contracts/,
    ],
    [
      'src/console/a.tsx',
      "import { type CloudEvent } from '../contracts/index.js'",
      /console may import only types of contracts/,
    ],
    ['src/query/a.ts', "import { a } from '../settings/index.js'", /query may not import settings/],
    ['src/settings/a.ts', "import { a } from '../control/index.js'", /settings may not import control/],
    ['src/query/a.ts', "import { a } from '../cli/index.js'", /nothing imports cli/],
    ['src/main.ts', "import { a } from './sandbox/index.js'", /nothing imports sandbox/],
    ['src/query/a.ts', "import { a } from '../app.module.js'", /query may not import app\.module\.ts/],
    ['src/newcomer/a.ts', "import { a } from '../contracts/index.js'", /newcomer has no row/],
    ['src/rules/index.ts', "export * from './rule.js'", /hides what is public/],
    ['src/rules/a.ts', "import { a } from './rule'", /end in \.js/],
    ['src/rules/a.ts', "import { a } from '../../test/support/a.js'", /does not depend on tests/],
    ['src/rules/a.ts', "import { a } from '../../scripts/a.js'", /outside src/],
  ])('%s with %s is refused', (file, source, message) => {
    expect(importViolations(file, source)).toEqual([expect.stringMatching(message)]);
  });

  it.each([
    [
      'src/rules/rule.ts',
      "import { a } from '../contracts/index.js'; import { b } from './selector.js'; import { c } from 'node:crypto'",
    ],
    [
      'src/rules/rule.spec.ts',
      "import { a } from '../../test/support/a.js'; import { b } from '../platform/log/index.js'",
    ],
    ['src/platform/log/a.ts', "import { RescindError, type ErrorKind } from '../../contracts/index.js'"],
    ['src/console/a.tsx', "import type { CloudEvent } from '../contracts/index.js'; const a = <p>hello</p>"],
    [
      'src/cli/a.ts',
      "import { a } from '../query/index.js'; import { b } from '../main.js'; import { c } from '../sandbox/index.js'",
    ],
    ['src/main.ts', "import { AppModule } from './app.module.js'; import { a } from './platform/log/index.js'"],
    ['src/projections/tokens/a.ts', "import { a } from '../event.js'; import { b } from '../../log/index.js'"],
  ])('%s with %s is allowed', (file, source) => expect(importViolations(file, source)).toEqual([]));
});

describe('suffixes (house style, point 3)', () => {
  it('every source knows only the frameworks that its suffix names', () => {
    expect(sources().flatMap((file) => frameworkViolations(file, read(file)))).toEqual([]);
  });

  it.each([
    ['src/query/graph.ts', "import { Injectable } from '@nestjs/common'"],
    ['src/query/graph.pg.ts', "import { Injectable } from '@nestjs/common'"],
    ['src/query/graph.controller.ts', "import { Pool } from 'pg'"],
    ['src/query/graph.ts', "import type { Pool } from 'pg'"],
    ['src/query/graph.ts', "export type { Pool } from 'pg'"],
    ['src/query/graph.ts', "import copy from 'pg-copy-streams'"],
    ['src/cli/mcp/tools.ts', "import type { Tool } from '@modelcontextprotocol/server'"],
    ['src/guard/mcp.ts', "import { McpServer } from '@modelcontextprotocol/server'"],
    ['src/query/graph.pg.ts', "import { Entity } from 'typeorm'"],
    ['src/query/graph.module.ts', "import { DataSource } from 'typeorm'"],
    ['src/ingest/consumer.ts', "import { Kafka } from 'kafkajs'"],
    ['src/ingest/consumer.ts', "const { Kafka } = require('kafkajs')"],
    ['src/ingest/kafka/consumer.kafka.ts', "import type { Kafka } from 'kafkajs'"],
    ['src/platform/embedded/local.kafka.ts', "const decoder = require('kafkajs/src/protocol/decoder.js')"],
    ['src/platform/kafka/kafka.ts', "import type { Kafka } from 'kafkajs'"],
    ['src/query/module.ts', "import { Module } from '@nestjs/common'"],
    ['src/settings/views.service.ts', "import { Pool } from 'pg'"],
  ])('%s with %s is refused', (file, source) => expect(frameworkViolations(file, source)).toHaveLength(1));

  it.each([
    ['src/query/graph.controller.ts', "import { Controller } from '@nestjs/common'"],
    ['src/settings/view.entity.ts', "import { Entity } from 'typeorm'"],
    [
      'src/settings/views.service.ts',
      "import { InjectRepository } from '@nestjs/typeorm'; import type { Repository } from 'typeorm'",
    ],
    ['src/log/migrations/1796000001000-schema.ts', "import type { QueryRunner } from 'typeorm'"],
    ['src/query/graph.pg.ts', "import type { Pool } from 'pg'"],
    ['src/platform/kafka/client.kafka.ts', "import { Kafka } from 'kafkajs'"],
    ['src/platform/kafka/record-sets/codecs.kafka.ts', "import kafkajs from 'kafkajs'"],
  ])('%s with %s is allowed', (file, source) => expect(frameworkViolations(file, source)).toEqual([]));
});
