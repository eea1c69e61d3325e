import { Controller, Get, Header, Inject, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { HEALTH } from './tokens.js';
import type { Health } from './health.js';

@Controller('health')
export class HealthController {
  readonly #health: Health;

  constructor(@Inject(HEALTH) health: Health) {
    this.#health = health;
  }

  /** The process answers; nothing more. */
  @Get('live')
  @Header('cache-control', 'no-store')
  live(): { live: true } {
    return { live: true };
  }

  /** 503 while any check fails, so that a balancer sends its traffic elsewhere. */
  @Get('ready')
  async ready(@Res() reply: FastifyReply): Promise<void> {
    const report = await this.#health.report();
    await reply.status(report.ready ? 200 : 503).header('cache-control', 'no-store').send(report);
  }
}
