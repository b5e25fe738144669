/** Texts of the redaction benchmark: English prose from a fixed seed, without values or with one every so many characters. */

const WORDS = (
  'the of and to in is that it was for on are with as his they be at one have this from or had by but what some we can out ' +
  'other were all there when up use your how said an each she which do their time if will way about many then them write ' +
  'would like so these her long make thing see him two has look more day could go come did number sound no most people my ' +
  'over know water than call first who may down side been now find any new work part take get place made live where after ' +
  'back little only round man year came show every good me give our under name very through just form sentence great think ' +
  'help low line differ turn cause much mean before move right boy old too same tell does set three want air well also play ' +
  'small end put home read hand port large spell add even land here must big high such follow act why ask men change went ' +
  'light kind off need house picture try us again animal point mother world near build self earth father head stand own page ' +
  'should country found answer school grow study still learn plant cover food sun four between state keep eye never last let ' +
  'thought city tree cross farm hard start might story saw far sea draw left late run while press close night real life few ' +
  'north open seem together next white children begin got walk example ease paper group always music those both mark often'
).split(' ');

/** One every so often: the values of a support desk's day. */
const VALUES: readonly ((n: number) => string)[] = [
  (n) => `jane.doe${String(n % 1000)}@example.com`,
  () => '4111 1111 1111 1111',
  () => '(212) 555-1234',
  () => '536-22-1234',
  () => 'DE89 3704 0044 0532 0130 00',
  (n) => `10.1.${String(n % 200)}.7`,
];

/** Park and Miller's generator. */
function createRandom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % below;
  };
}

/** `hitEvery` 0: no values at all. */
export function prose(length: number, hitEvery: number): string {
  const random = createRandom(20_261);
  const parts: string[] = [];
  let size = 0;
  let nextHit = hitEvery;
  let starts = true;
  while (size < length) {
    const word = WORDS[random(WORDS.length)] ?? '';
    const end = random(12);
    let part = starts ? word.charAt(0).toUpperCase() + word.slice(1) : word;
    starts = end === 0;
    // Years and amounts, as prose has them.
    if (random(120) === 0) part = `${part} ${String(1900 + random(150))}`;
    part += end === 0 ? '. ' : end === 1 ? ', ' : ' ';
    if (hitEvery > 0 && size >= nextHit) {
      const at = random(VALUES.length);
      part += `${VALUES[at]?.(random(100_000)) ?? ''} `;
      nextHit += hitEvery;
    }
    parts.push(part);
    size += part.length;
  }
  // One flat string, as a body that was read has.
  return Buffer.from(parts.join('').slice(0, length)).toString('latin1');
}
