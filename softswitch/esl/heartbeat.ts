/** The HEARTBEAT event, every 20 s as FreeSWITCH sends it: what drachtio-fsmrf knows of our load. */
import { cpuUsage, hrtime } from 'node:process';
import type { SwitchCore } from './switch-core.ts';
import { FREESWITCH_VERSION } from './switch-core.ts';
import { upTime } from './up-time.ts';

export const HEARTBEAT_MS = 20_000;

export function startHeartbeat(core: SwitchCore): void {
  let before = { cpu: cpuUsage(), at: hrtime.bigint() };
  const beat = (): void => {
    const used = cpuUsage(before.cpu);
    const at = hrtime.bigint();
    const share = (used.user + used.system) / Math.max(1, Number(at - before.at) / 1_000);
    before = { cpu: cpuUsage(), at };
    fireHeartbeat(core, Math.max(0, 100 - 100 * share));
    core.timers.schedule(HEARTBEAT_MS, beat);
  };
  core.timers.schedule(HEARTBEAT_MS, beat);
}

/** `idleCpu` in percent, as the header has it: of one core, for the process the switch lives in. */
function fireHeartbeat(core: SwitchCore, idleCpu: number): void {
  const { rate } = core;
  core.bus.fire({
    name: 'HEARTBEAT',
    fill: (headers) => {
      const upMs = core.nowMs() - core.startedAtMs;
      headers['Event-Info'] = 'System Ready';
      headers['Up-Time'] = upTime(upMs);
      headers['FreeSWITCH-Version'] = FREESWITCH_VERSION;
      headers['Uptime-msec'] = String(Math.round(upMs));
      headers['Session-Count'] = String(core.channels.size);
      headers['Max-Sessions'] = String(core.sessionsMax);
      headers['Session-Per-Sec'] = String(rate.max ?? 0);
      headers['Session-Per-Sec-Last'] = String(rate.lastSecond);
      headers['Session-Per-Sec-Max'] = String(rate.peak);
      headers['Session-Since-Startup'] = String(core.sessionsTotal);
      headers['Session-Peak-Max'] = String(core.sessionsPeak);
      headers['Idle-CPU'] = idleCpu.toFixed(6);
    },
  });
}
