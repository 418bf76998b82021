/**
 * Loaded before each test file. When nothing is left to wait for the process ends at once: Node 20 first
 * closes what is still open and waits for it, and with a socket whose peer was killed it has been seen to
 * spin there for ever, after the last test had passed. What a test forgets to close still keeps its file
 * running, as before: then the loop is never idle.
 */
process.once('beforeExit', () => {
  process.on('exit', () => process.reallyExit(process.exitCode ?? 0));
});
