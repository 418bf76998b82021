/** Whom a message is about: the attempt, else the lobby; undefined for what a gateway tells of itself. */
type About = { readonly attemptId: string } | { readonly lobbyId: string };

export function subjectOf(message: About): string;
export function subjectOf(message: object): string | undefined;
export function subjectOf(message: object): string | undefined {
  if ('attemptId' in message) return String(message.attemptId);
  return 'lobbyId' in message ? String(message.lobbyId) : undefined;
}
