// The functions and resources of serverless.yml, made by infra/aws/for_serverless.py from infra/manifest.json.
// Choices are parameters, as in: osls package --param="packages=build/aws" --param="shards=2"
'use strict';

const { execFile } = require('node:child_process');
const { dirname, resolve } = require('node:path');
const { promisify } = require('node:util');

const ROOT = dirname(dirname(dirname(__dirname)));
const CHOICES = [
  'alarm_email',
  'certificate',
  'domain',
  'keep',
  'mail_from',
  'name',
  'page',
  'reserved',
  'settings',
  'shards',
  'web_acl',
];

// by choices: the framework asks once for each part, and sometimes again
const made = new Map();

async function make(choices) {
  const python = process.env.PYTHON || 'python3';
  const options = { cwd: ROOT, maxBuffer: 64 * 1024 * 1024 };
  try {
    const { stdout } = await promisify(execFile)(python, ['-m', 'infra.aws.for_serverless', ...choices], options);
    return JSON.parse(stdout);
  } catch (error) {
    throw new Error(error.stderr ? error.stderr.trim() : error.message);
  }
}

module.exports = async ({ resolveVariable }) => {
  const choices = [`packages=${resolve(await resolveVariable("param:packages, 'build/aws'"))}`];
  for (const name of CHOICES) {
    const value = await resolveVariable(`param:${name}, null`);
    if (value !== null) choices.push(`${name}=${value}`);
  }
  const key = JSON.stringify(choices);
  if (!made.has(key)) made.set(key, make(choices));
  return made.get(key);
};
