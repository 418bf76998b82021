/** What an operator asks of the trunks, and how each of them is. */
import type { CommandReply } from '../../machines/command-reply.ts';
import type { TrunkCommand, TrunkReport } from '../../machines/trunk-commands.ts';
import type { TrunkDirectory } from './trunk-directory.ts';
import type { Trunk } from './trunk.ts';

type Trunks = Pick<TrunkDirectory, 'trunks' | 'groups'>;

export function trunkReply(command: TrunkCommand, ours: string, known: Trunks): CommandReply {
  const { gatewayId } = command;
  if (gatewayId !== ours) {
    const detail = `this is ${ours}, the command names ${gatewayId}`;
    return { accepted: false, code: 'WRONG_GATEWAY', detail };
  }
  if (command.type === 'trunk.query') {
    const trunks = [...known.trunks.values()].map((trunk) => report(trunk, known));
    return { accepted: true, trunks };
  }
  const trunk = known.trunks.get(command.trunk);
  if (trunk === undefined) {
    return { accepted: false, code: 'UNKNOWN_TRUNK', detail: `no trunk ${command.trunk}` };
  }
  if (command.type === 'trunk.resume') trunk.resume();
  else if (command.restored === undefined) trunk.suspend(command.detail);
  else trunk.restore(command.restored, command.detail, command.atMs);
  return { accepted: true, trunks: [report(trunk, known)] };
}

function report(trunk: Trunk, { groups }: Trunks): TrunkReport {
  const { name, state, stateDetail, registration, channelsInUse, config, lastCause } = trunk;
  const { closure } = trunk;
  const { sessions, asr } = trunk.ratios;
  const own = [...groups.values()].filter(({ members }) => {
    return members.some((member) => member.trunk === trunk);
  });
  return {
    ...{ trunk: name, groups: own.map((group) => group.name), state, detail: stateDetail },
    ...(closure === undefined ? {} : { closure }),
    ...{ registration, channelsInUse, channelsMax: config.channelsMax, sessions, lastCause },
    callsPerSecondMax: config.callsPerSecondMax,
    answerSeizureRatio: sessions === 0 ? null : asr,
  };
}
