"""Texts that questions are made of."""

CELLS = """Cells
Cell biology is the study of the structure and the function of living cells. Robert Hooke described the first cells in his book Micrographia in 1665. Matthias Schleiden and Theodor Schwann proposed the cell theory in 1839. Rudolf Virchow added the rule that every cell comes from another cell.
A prokaryote is an organism whose cells have no nucleus. A eukaryote is an organism whose cells have a nucleus and other organelles. Bacteria are prokaryotes that live in soil, in water and in other organisms. Bacteria reproduce by binary fission, a division into two equal cells.
A mitochondrion is an organelle that turns nutrients into chemical energy. A chloroplast is an organelle that captures the energy of sunlight. A ribosome is a particle that builds proteins from amino acids. A lysosome is a vesicle that breaks down waste with the help of enzymes. A vacuole is a compartment that stores water and nutrients in plant cells.
Mitochondria produce about 90% of the chemical energy of an animal cell. Mitochondria contain a small genome of their own, which codes for 37 genes in humans. Lynn Margulis argued in 1967 that mitochondria descend from free bacteria. Chloroplasts contain the green pigment chlorophyll, which absorbs red and blue light.
The plasma membrane is a double layer of lipids that surrounds every cell. The plasma membrane controls the transport of ions and nutrients into the cell. Ion channels are proteins that let ions pass through the plasma membrane. Enzymes are proteins that speed up chemical reactions in the cell.
The cell nucleus contains most of the genetic material of a eukaryote. Chromosomes are long threads of DNA that are wound around proteins. A human body cell contains 46 chromosomes, while a human egg cell contains 23 chromosomes. The nucleolus is a dense region of the nucleus where ribosomes are assembled.
Mitosis is a division of the nucleus that gives two equal sets of chromosomes. Meiosis is a division of the nucleus that gives four cells with half of the chromosomes. Plant cells are green because chloroplasts reflect green light. Muscle cells are full of mitochondria because muscles need a lot of energy.
The Golgi apparatus is used to sort proteins and to pack them into vesicles. Camillo Golgi discovered the apparatus with a silver stain at the University of Pavia in 1898. The cytoskeleton is a network of protein threads that gives the cell its shape. Microtubules are hollow tubes of the cytoskeleton that guide the transport of vesicles.
Red blood cells carry oxygen from the lungs to the tissues of the body. Red blood cells of mammals lose their nucleus before they enter the blood. White blood cells defend the body against bacteria and viruses. The human body makes about two million red blood cells in every second.
"""

PLANETS = """The solar system
A planet is a round body that orbits a star and has cleared its orbit. A comet is a small body of ice and dust that grows a tail near the Sun. An asteroid is a rocky body that orbits the Sun mostly between Mars and Jupiter. A moon is a natural satellite that orbits a planet.
Jupiter is the largest planet of the solar system. Saturn has 146 known moons and a bright system of rings. Galileo Galilei discovered four moons of Jupiter in 1610. William Herschel discovered Uranus in 1781 with a telescope of his own making.
Mercury completes an orbit around the Sun in 88 days. Venus rotates backwards and completes a rotation in 243 days. Mars has two moons with the names Phobos and Deimos. Johannes Kepler published the laws of planetary motion in 1609 and 1619.
"""

GERMAN = """Zellbiologie
Die Zellbiologie untersucht den Aufbau und die Funktion lebender Zellen mit dem Mikroskop. Das Mitochondrium liefert der Zelle den größten Teil ihrer chemischen Energie. Jedes Mitochondrium besitzt ein kleines eigenes Genom mit wenigen Genen. Der Zellkern enthält den größten Teil des Erbmaterials einer lebenden Zelle.
Das Chloroplast fängt das Licht der Sonne mit dem grünen Farbstoff Chlorophyll ein. Ohne Chlorophyll könnte eine Pflanze das Licht der Sonne nicht nutzen. Das Mikroskop zeigte Robert Hooke zum ersten Mal die Kammern im Kork. Der Farbstoff Chlorophyll gibt den Blättern einer Pflanze ihre grüne Farbe. Die Membran umgibt jede Zelle und trennt sie von der Umgebung. Eine Membran besteht aus einer doppelten Schicht von Lipiden und Proteinen.
"""

TABLE = "\n".join(f"{row} {row * 3} {row * 7} kg {row / 4:.2f} m" for row in range(120))
