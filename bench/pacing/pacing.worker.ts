/** Runs the jobs that it is sent, one after the other. */
import { parentPort } from 'node:worker_threads';
import { runPacingJob, type PacingJob } from './pacing-jobs.ts';

parentPort?.on('message', (job: PacingJob) => parentPort?.postMessage(runPacingJob(job)));
