import { Controller, Get, Inject, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { HEALTH, METRICS } from './tokens.js';
import type { Health } from './health.js';
import type { Metrics } from './metrics.js';

@Controller('metrics')
export class MetricsController {
  readonly #metrics: Metrics;

  readonly #health: Health;

  constructor(@Inject(METRICS) metrics: Metrics, @Inject(HEALTH) health: Health) {
    this.#metrics = metrics;
    this.#health = health;
  }

  @Get()
  async text(@Res() reply: FastifyReply): Promise<void> {
    await this.#health.report(); // So that `rescind_ready` is of now.
    await reply.header('content-type', this.#metrics.contentType).send(await this.#metrics.text());
  }
}
