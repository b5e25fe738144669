/**
 * Generic top-level domains open to the public: those of RFC 920 and ICANN's rounds of 2000, 2004 and 2012, without
 * domains of one brand, which are words of everyday text. Country codes are every pair of letters in the root zone.
 */
export const GENERIC_TOP_LEVEL: ReadonlySet<string> = new Set(
  `aero arpa asia biz cat com coop edu gov info int jobs mil mobi museum name net org post pro tel travel xxx
  abogado academy accountant accountants actor adult agency airforce amsterdam apartments app archi army art associates
  attorney auction audio author auto autos baby band bank bar barcelona bargains baseball basketball bayern beauty beer
  berlin best bet bible bid bike bingo bio black blackfriday blog blue boats bond boo book boston bot boutique box
  broadway broker brussels budapest build builders business buy buzz bzh cab cafe cam camera camp cancerresearch
  capetown capital car caravan cards care career careers cars casa cash casino catering catholic center ceo cfd channel
  charity chat cheap christmas church city claims cleaning click clinic clothing cloud club coach codes coffee college
  cologne community company compare computer condos construction consulting contact contractors cooking cool corsica
  country coupon coupons courses credit creditcard creditunion cricket cruise cruises dad dance data date dating day
  deal dealer deals degree delivery democrat dental dentist desi design dev diamonds diet digital direct directory
  discount diy doctor dog domains dot download drive durban earth eat eco education email energy engineer engineering
  enterprises equipment esq estate eurovision eus events exchange expert exposed express fail faith family fan fans
  farm fashion fast feedback film final finance financial fire fish fishing fit fitness flights florist flowers fly foo
  food football forex forsale forum foundation free frl fun fund furniture futbol fyi gal gallery game games garden gay
  gdn gent gift gifts gives giving glass global gmbh gold golf gop got graphics gratis green gripe grocery group guide
  guitars guru hair hamburg haus health healthcare help helsinki here hiphop hiv hockey holdings holiday homes horse
  hospital host hosting hot hotels house how ice icu immo immobilien inc industries ink institute insurance insure
  international investments irish ist istanbul java jetzt jewelry joburg juegos kaufen kid kids kim kitchen kiwi koeln
  krd kred kyoto lacaixa land lat latrobe law lawyer lds lease leclerc legal lgbt life lifeinsurance lifestyle lighting
  like limited limo link live living llc llp loan loans locker lol london lotto love ltd ltda luxe luxury madrid maison
  makeup management mango map market marketing markets mba med media meet melbourne meme memorial men menu miami mini
  mobile moda moe moi mom monash money monster mormon mortgage moscow moto motorcycles mov movie music nagoya navy
  network neustar new news ngo nhk ninja now nowruz nrw nyc observer okinawa one ong onl online ooo open organic osaka
  paris pars partners parts party pay pet pharmacy phd phone photo photography photos physio pics pictures pid pin pink
  pizza place play plumbing plus poker porn press prime productions prof progressive promo properties property
  protection pub qpon quebec racing radio read realestate realtor realty recipes red rehab reise reisen ren rent
  rentals repair report republican rest restaurant review reviews rich rio rip rocks rodeo room rsvp rugby ruhr run
  ryukyu saarland safe sale salon sarl save school schule science scot search seat secure security select services sex
  sexy shiksha shoes shop shopping show singles site ski skin smart soccer social software solar solutions song soy spa
  space sport spot srl stockholm storage store stream studio study style sucks supplies supply support surf surgery
  swiss sydney systems taipei talk tattoo tatar tax taxi team tech technology tennis theater theatre tickets tienda
  tips tires tirol today tokyo tools top tour tours town toys trade trading training translations trust tube tunes
  tushu university uno vacations vegas ventures versicherung vet viajes video villas vin vip vision vlaanderen vodka
  vote voting voto voyage wales wang watch watches weather webcam website wed wedding whoswho wien wiki win wine winners
  work works world wow wtf xin xyz yachts yoga yokohama you yun zip zone zuerich`.split(/\s+/),
);
