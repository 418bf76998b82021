#!/usr/bin/env node
import { runProgram } from './program.ts';
import { processTerminal } from './terminal.ts';

const exitCode = await runProgram(process.argv.slice(2), processTerminal);
// Whatever a library left open (sockets resting, timers) must not keep a finished command alive.
process.exit(exitCode);
