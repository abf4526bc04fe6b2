"""The tree that a new library starts with: a general one, to be changed as one likes."""

from typing import Any
from uuid import UUID, uuid5

from service.taxonomy.slugs import slug

_NAMESPACE = UUID("6b0f4b52-5a8e-4f59-9d6c-6d7d0f6c9a11")

OUTLINE = """
Computing: computers, software and information technology
  Programming: programming languages, algorithms, software development, debugging
  Artificial intelligence: machine learning, neural networks, language models, robotics
  Networks: internet, protocols, routing, wireless communication
  Security: cryptography, passwords, malware, vulnerabilities, privacy
  Databases: data storage, queries, SQL, indexing, transactions
  Hardware: processors, memory, electronics, storage devices
  Operating systems: kernels, processes, file systems, Linux, Windows
  Web: web pages, browsers, HTML, JavaScript, web services
  Human-computer interaction: user interfaces, usability, accessibility, graphics
Mathematics: numbers, proofs, equations, structures
  Algebra: groups, rings, matrices, linear equations
  Analysis: calculus, limits, differential equations, functions
  Geometry: shapes, space, topology, curves
  Statistics: probability, data analysis, sampling, estimation
  Logic: reasoning, set theory, computability, foundations
Physics: matter, energy, forces and motion
  Mechanics: motion, fluids, aerodynamics, heat, materials
  Quantum physics: particles, atoms, quantum mechanics, relativity
  Astronomy: stars, planets, galaxies, space exploration
Chemistry: substances, reactions, molecules, elements
  Organic chemistry: carbon compounds, polymers, synthesis
  Materials: metals, crystals, semiconductors, nanomaterials
Biology: living things, cells, evolution
  Genetics: genes, DNA, heredity, genomes
  Ecology: ecosystems, species, habitats, conservation
  Zoology: animals, birds, fish, insects, behaviour of animals
  Botany: plants, flowers, trees, fungi
  Neuroscience: brain, neurons, perception, memory
Earth: geology, oceans and the atmosphere
  Climate: weather, global warming, greenhouse gases, meteorology
  Geology: rocks, earthquakes, volcanoes, fossils
  Geography: maps, countries, regions, landscapes
Engineering: design, construction and machines
  Civil engineering: buildings, bridges, roads, infrastructure
  Mechanical engineering: machines, engines, manufacturing
  Electrical engineering: power, circuits, signals, telecommunication
  Aerospace: aircraft, rockets, satellites, flight
  Energy: solar, wind, nuclear, oil, batteries, electricity
Health: medicine, diseases and wellbeing
  Medicine: diagnosis, treatment, drugs, surgery, hospitals
  Public health: epidemics, vaccines, hygiene, health care systems
  Mental health: psychiatry, depression, therapy, stress
  Nutrition: diet, vitamins, obesity, healthy eating
  Fitness: exercise, training, sleep
Society: people living together
  Politics: government, elections, parties, policy
  Law: courts, legislation, crime, rights, contracts
  International relations: diplomacy, war, treaties, migration
  Sociology: social groups, family, gender, inequality, culture
  Education: schools, universities, teaching, learning
  Religion: faith, churches, scripture, rituals, belief
  Military: armies, weapons, defence, conflict
Economy: money, trade and work
  Finance: banks, stocks, investment, currency, insurance
  Business: companies, management, marketing, startups
  Economics: markets, growth, inflation, unemployment, trade
  Work: jobs, careers, labour, wages
  Agriculture: farming, crops, livestock, food production
  Transport: cars, trains, shipping, aviation, logistics
History: the past and its sources
  Ancient history: Rome, Greece, Egypt, archaeology
  Middle Ages: medieval kingdoms, knights, crusades
  Modern history: revolutions, colonialism, world wars, twentieth century
  Biography: lives of people, memoirs
Humanities: thought and language
  Philosophy: ethics, metaphysics, theory of knowledge, existence
  Psychology: mind, behaviour, personality, emotion
  Linguistics: languages, grammar, meaning, translation
  Anthropology: human cultures, customs, ethnography, myths
Arts: works of art and how they are made
  Literature: novels, poetry, authors, books, literary criticism
  Music: songs, composers, instruments, concerts, bands
  Film and television: movies, series, actors, directors
  Visual arts: painting, sculpture, photography, museums
  Architecture: design of buildings, styles, cities
  Theatre and dance: plays, ballet, stage, performance
  Design: fashion, graphic design, typography, crafts
Media: news, journalism, publishing, social networks, advertising
Leisure: free time
  Sports: football, athletics, tennis, Olympic games, teams
  Games: video games, board games, chess, puzzles
  Travel: tourism, destinations, hotels, journeys
  Food and drink: recipes, cooking, restaurants, wine
  Home and garden: furniture, decoration, gardening, repairs, pets
  Hobbies: collecting, crafts, models, do it yourself
"""


def rows() -> list[dict[str, Any]]:
    """Return the tree as rows of `categories`, parents first; the ids are the same everywhere."""
    made: list[dict[str, Any]] = []
    above: list[dict[str, Any]] = []
    for line in OUTLINE.strip().splitlines():
        depth = (len(line) - len(line.lstrip())) // 2
        name, description = line.strip().split(": ", 1)
        del above[depth:]
        names = [*(row["name"] for row in above), name]
        path = "/".join(map(slug, names))
        id = uuid5(_NAMESPACE, path)
        row: dict[str, Any] = {
            "id": id,
            "parent_id": above[-1]["id"] if above else None,
            "name": name,
            "slug": slug(name),
            "path": path,
            "names": names,
            "lineage": [*(above[-1]["lineage"] if above else []), id],
            "description": description,
        }
        above.append(row)
        made.append(row)
    return made
