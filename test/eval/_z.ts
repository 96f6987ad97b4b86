import { SentenceEncoder } from '../../src/adapters/local-model/sentence-encoder.ts';
import { TextVectors } from '../../src/adapters/local-model/text-vectors.ts';
import { contrastVectors, dot } from '../../src/domain/local/vectors.ts';
import { softmax } from '../../src/domain/local/temperature.ts';
import { sampleText } from '../../src/domain/local/sample-text.ts';
import { readClassificationSet, spread } from '../helpers/evaluation-data.ts';
const tv=new TextVectors(await SentenceEncoder.load()); const cp=async()=>{};
for(const [n,c] of [['sms',1150],['movies',100],['clinc10',600],['agnews',400],['bbc',100]] as const){ const s=readClassificationSet(n); const it=spread(s.test,c); const V=await tv.of(it.map(i=>sampleText(i.text)),cp); const L=contrastVectors(await tv.of(s.labels.map(l=>`${l.label.replace(/[_-]+/g,' ')}: ${l.description}`),cp)); const y=it.map(i=>s.labels.findIndex(l=>l.label===i.label));
 for(const [nm,T] of [['.07',.07],['scaled',.07*Math.sqrt(L.length/(L.length-1))]] as const){ let sure=0,sr=0,r=0; const bins=Array.from({length:10},()=>[0,0,0]); V.forEach((v,i)=>{const p=softmax(L.map(l=>dot(v,l)),T); let b=0; p.forEach((x,j)=>{if(x>p[b]!)b=j}); const ok=b===y[i]?1:0; r+=ok; const cf=p[b]!; if(cf>=.95){sure++;sr+=ok} const bb=bins[Math.min(9,Math.floor(cf*10))]!; bb[0]!++;bb[1]!+=cf;bb[2]!+=ok;}); const ece=bins.reduce((a,[k,c2,o])=>a+Math.abs(c2!-o!),0)/V.length; console.log(n,nm,'right',(100*r/V.length).toFixed(1),'sure',sure,'of',V.length,'right there',(100*sr/Math.max(1,sure)).toFixed(1),'ece',(100*ece).toFixed(1)); } }
