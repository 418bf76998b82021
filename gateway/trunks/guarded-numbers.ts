/**
 * Numbers that a dialer must not reach by accident, beside what libphonenumber's types know. Sources:
 * ITU-T E.164 assigned country codes (List of Recommendation ITU-T E.164, annex to the Operational
 * Bulletin) for shared codes; the national plans as communicated to ITU-T (E.129) for the rest; 3GPP
 * TS 22.101 §10.1 and the regulators' pages for emergency numbers. Prefixes are E.164 without the plus.
 */
import type { GuardedClass } from '../../config/trunk.schema.ts';

/** By country code: what people in need dial there. A PBX that strips too much sends just this. */
export const EMERGENCY_NUMBERS: Readonly<Record<string, readonly string[]>> = {
  '1': ['911', '112', '933', '988'], // US, Canada and the islands; 933 tests 911, 988 is the lifeline
  '7': ['101', '102', '103', '104', '112'],
  '20': ['122', '123', '180'],
  '27': ['10111', '10177', '112'],
  '30': ['100', '112', '166', '199'],
  '31': ['112', '113'],
  '32': ['100', '101', '112'],
  '33': ['15', '17', '18', '112', '114', '115', '119', '191', '196', '197'],
  '34': ['061', '062', '080', '091', '112'],
  '36': ['104', '105', '107', '112'],
  '39': ['112', '113', '115', '118', '1530'],
  '40': ['112'],
  '41': ['112', '117', '118', '143', '144', '145', '147', '1414'],
  '43': ['112', '122', '128', '133', '140', '141', '144', '147'],
  '44': ['101', '111', '112', '999'],
  '45': ['112', '114'],
  '46': ['112', '11414'],
  '47': ['110', '112', '113'],
  '48': ['112', '997', '998', '999'],
  '49': ['110', '112'],
  '52': ['066', '911'],
  '54': ['100', '101', '107', '911'],
  '55': ['190', '192', '193', '911'],
  '56': ['131', '132', '133'],
  '57': ['112', '123'],
  '60': ['112', '999'],
  '61': ['000', '106', '112'],
  '62': ['110', '112', '113', '118'],
  '63': ['117', '911'],
  '64': ['111', '112'],
  '65': ['993', '995', '999'],
  '66': ['191', '1669'],
  '81': ['110', '118', '119'],
  '82': ['112', '113', '119'],
  '84': ['113', '114', '115'],
  '86': ['110', '119', '120', '122'],
  '90': ['110', '112', '155'],
  '91': ['100', '101', '102', '108', '112'],
  '92': ['15', '115', '1122'],
  '234': ['112', '199'],
  '254': ['112', '999'],
  '351': ['112'],
  '353': ['112', '999'],
  '358': ['112'],
  '380': ['101', '102', '103', '104', '112'],
  '420': ['112', '150', '155', '158'],
  '852': ['112', '999'],
  '886': ['110', '112', '119'],
  '966': ['911', '997', '998', '999'],
  '971': ['112', '997', '998', '999'],
  '972': ['100', '101', '102', '112'],
};

export interface GuardedRange {
  readonly guardedClass: GuardedClass;
  /** At the start of the number, without the plus. */
  readonly pattern: RegExp;
  readonly name: string;
}

export const GUARDED_RANGES: readonly GuardedRange[] = [
  range('satellite', /^870/, 'Inmarsat'),
  range('satellite', /^881/, 'global mobile satellite systems'),
  range('satellite', /^88[23]/, 'international networks'),
  range('satellite', /^87[578]|^888/, 'maritime, UPT and relief codes'),
  range('premium', /^979/, 'international premium rate'),
  range('sharedCost', /^808/, 'international shared cost'),
  range('premium', /^1900/, 'North America 900'),
  range('premium', /^1\d{3}976/, 'North America 976'),
  range('premium', /^3389|^33118/, 'France 089, 118'),
  range('premium', /^34(?:80[367]|905|907|118)/, 'Spain 803, 806, 807, 905'),
  range('premium', /^39(?:89[1-9]|16[46]|144)/, 'Italy 89x'),
  range('premium', /^31(?:90[069]|18)/, 'Netherlands 0900, 0906, 0909'),
  range('premium', /^3290/, 'Belgium 090x'),
  range('premium', /^41(?:90[016])/, 'Switzerland 0900, 0901, 0906'),
  range('premium', /^43(?:9[03]\d|118)/, 'Austria 09xx'),
  range('premium', /^449|^4487[0-3]|^44118/, 'United Kingdom 09, 087x, 118'),
  range('premium', /^49(?:900|118|137)/, 'Germany 0900, 0137, 118'),
  range('sharedCost', /^49180/, 'Germany 0180'),
  range('premium', /^48(?:70[0-9]|30[0-9])/, 'Poland 70x, 30x'),
  range('premium', /^61190/, 'Australia 190x'),
  range('premium', /^81990/, 'Japan 0990'),
  range('premium', /^55(?:900|0900)/, 'Brazil 0900'),
  range('premium', /^7(?:803|809)/, 'Russia 803, 809'),
];

function range(guardedClass: GuardedClass, pattern: RegExp, name: string): GuardedRange {
  return { guardedClass, pattern, name };
}
