/** What one gateway is asked beside attempts and lobbies: not numbered, not fenced, safe to repeat. */
import { RecordingTranscribe } from './transcription.ts';
import { TRUNK_COMMANDS, type TrunkCommand } from './trunk-commands.ts';

export const GATEWAY_COMMANDS = {
  ...TRUNK_COMMANDS,
  'recording.transcribe': RecordingTranscribe,
} as const;
export type GatewayCommand = TrunkCommand | RecordingTranscribe;

export function isGatewayCommand(command: { readonly type: string }): command is GatewayCommand {
  return Object.hasOwn(GATEWAY_COMMANDS, command.type);
}
