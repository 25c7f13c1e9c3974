"""A small Chinese-English lexicon of what governments write about, and how English words are compared.

It is enough to tell neighbouring sentences apart where no dictionary is at hand; CC-CEDICT (bench/cedict.py) can be
given on top. It knows the genre, not any document: words go in because they are common in treaties, laws and white
papers.
"""

from __future__ import annotations

import re

_TABLE = """
中国 china|中华人民共和国 china|国务院 state council|政府 government|国家 country;state;national;nation|各国 countries;states;nations
国际 international|国内 domestic;national|世界 world;global|全球 global;world|地区 region;regional|联合国 un;united nations
安理会 security council|联大 general assembly|大会 assembly;congress;conference|和平 peace;peaceful|安全 security;safety;safe;secure
发展 development;develop;developing|合作 cooperation;cooperate|协调 coordination;coordinate|交流 exchange|义务 obligation;duty
责任 responsibility;responsible;liability|权利 right|利益 interest;benefit|原则 principle|条约 treaty|公约 convention;covenant
协定 agreement|协议 agreement|宪章 charter|宣言 declaration|声明 statement;declare|决议 resolution|议定书 protocol|条例 regulation
规定 provision;provide;stipulate;rule|法律 law;legal|法规 regulation;law|法治 rule law;law-based|制度 system;institution;regime
体系 system|体制 system;institution|机制 mechanism|管理 administration;management;administer;manage|管制 control|出口 export|进口 import
贸易 trade|经济 economy;economic|社会 society;social|文化 culture;cultural|政治 political;politics|科技 science technology;scientific
技术 technology;technical;technological|货物 goods|服务 service|物项 item|措施 measure|政策 policy|立场 position|主张 advocate;maintain;hold;believe;call
坚持 uphold;adhere;maintain;persist;committed|坚决 firmly;resolutely;firm|反对 oppose;opposing;against|支持 support|加强 strengthen;step|推动 promote;push;advance
促进 promote;facilitate|维护 safeguard;uphold;maintain|建立 establish;set|完善 improve;improvement|建设 build;construction|构建 build
履行 fulfill;fulfil;perform;implement;honor|实施 implement;enforce;implementation|执行 enforce;execute;implement|参与 participate;participation
审查 review;examination|许可 license;licence;permit|申请 apply;application|批准 approve;approval;ratify|主管部门 department;authority|部门 department;ministry;agency
组织 organization;organisation;organize|公民 citizen|法人 legal person|企业 enterprise;company;business|个人 individual|任何 any
应当 shall;should|不得 not|禁止 prohibit;prohibition;ban|限制 restrict;restriction;limit|违反 violate;violation;breach|处罚 penalty;punish
战略 strategy;strategic|伙伴 partner|关系 relation;relationship|双方 both sides;two sides;parties|两国 two countries;both countries|双边 bilateral|多边 multilateral
主权 sovereignty|领土 territory;territorial|尊重 respect|平等 equal;equality|互利 mutual benefit;mutually beneficial|共赢 win-win|共同 common;joint;jointly;shared
命运共同体 shared future|人类 humanity;human;mankind|挑战 challenge|威胁 threat|风险 risk|冲突 conflict|争端 dispute|分歧 difference|对话 dialogue|磋商 consultation
谈判 negotiation;negotiate|访问 visit|会谈 talk|会见 meet|会议 meeting;conference|主席 chairman;president|总统 president|总理 premier;prime minister|部长 minister
外交部 foreign affairs|商务部 ministry commerce|海关 customs|军品 military product;arms|核 nuclear|武器 weapon|扩散 proliferation|防扩散 non-proliferation
大规模杀伤性武器 mass destruction|化学 chemical|生物 biological|环境 environment|气候变化 climate change|能源 energy|投资 investment;invest|市场 market|开放 open;opening
改革 reform|历史 history;historic|时代 era;age;times|新时代 new era|当前 current;now;currently|当今 today|习近平 xi jinping|思想 thought|社会主义 socialism;socialist
特色 characteristic|负责任 responsible|大国 major countr|发展中国家 developing countries|新兴市场 emerging market|秩序 order|治理 governance|规则 rule|公正 just;impartial
公平 fair|合理 reasonable|歧视 discriminat|滥用 abuse|有效 effective;effectively|积极 active;actively|认真 earnest;conscientiously|广泛 extensive;wide|普遍 universal
白皮书 white paper|前言 preamble;preface;foreword|序言 preamble;preface|引言 introduction|结束语 conclusion|附则 supplementary|总则 general provisions|附件 annex
新闻办公室 information office|全文 full text|生效 force;effect|签署 sign|缔约 contracting;parties|本法 law|本条约 treaty|办法 measure|人民 people
自由 freedom;free|人权 human right|民主 democracy;democratic|教育 education|卫生 health|农业 agricultur|工业 industr|产业链 industrial chain|供应链 supply chain
国情 national condition|经验 experience|成果 outcome;result;achievement|领域 field;area|目标 goal;objective;target|努力 effort;strive|愿意 willing;ready|欢迎 welcome"""

SEED: dict[str, tuple[str, ...]] = {
    entry.split(" ", 1)[0]: tuple(entry.split(" ", 1)[1].split(";"))
    for line in _TABLE.splitlines()
    for entry in line.split("|")
    if " " in entry and len(entry.split(" ", 1)[0]) > 1
}

_STOP = frozenset(
    "a an the of in on at to for from by with and or as that which its their is are was were be been has have had will "
    "it this these all one sth sb also etc used see cl".split()
)


def stem(word: str) -> str:
    """Crude and the same for text and lexicon: the first six letters, plural and y-ending off."""
    word = word.lower()
    word = word[:-3] + "y" if word.endswith("ies") and len(word) > 4 else word
    word = word[:-1] if word.endswith("s") and not word.endswith("ss") and len(word) > 3 else word
    return word[:6]


def stems(text: str) -> frozenset[str]:
    """Of the words that carry meaning."""
    return frozenset(stem(w) for w in re.findall(r"[A-Za-z][A-Za-z'’]*", text) if w.lower() not in _STOP)
