<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>
<qgis version="3.22.0" styleCategories="Symbology">
 <pipe>
  <rasterrenderer type="paletted" band="1" alphaBand="-1" opacity="1" nodataColor="">
   <minMaxOrigin>
    <limits>None</limits>
    <extent>WholeRaster</extent>
    <statAccuracy>Estimated</statAccuracy>
   </minMaxOrigin>
   <colorPalette>
    <paletteEntry value="0" color="#332288" alpha="255" label="Cluster 0"/>
    <paletteEntry value="1" color="#88ccee" alpha="255" label="Cluster 1"/>
    <paletteEntry value="2" color="#44aa99" alpha="255" label="Cluster 2"/>
    <paletteEntry value="3" color="#117733" alpha="255" label="Cluster 3"/>
    <paletteEntry value="4" color="#999933" alpha="255" label="Cluster 4"/>
    <paletteEntry value="5" color="#ddcc77" alpha="255" label="Cluster 5"/>
    <paletteEntry value="6" color="#cc6677" alpha="255" label="Cluster 6"/>
    <paletteEntry value="7" color="#882255" alpha="255" label="Cluster 7"/>
    <paletteEntry value="8" color="#aa4499" alpha="255" label="Cluster 8"/>
    <paletteEntry value="9" color="#4477aa" alpha="255" label="Cluster 9"/>
    <paletteEntry value="10" color="#ccbb44" alpha="255" label="Cluster 10"/>
    <paletteEntry value="11" color="#bbbbbb" alpha="255" label="Cluster 11"/>
    <paletteEntry value="12" color="#004488" alpha="255" label="Cluster 12"/>
    <paletteEntry value="13" color="#ee8866" alpha="255" label="Cluster 13"/>
    <paletteEntry value="14" color="#77aadd" alpha="255" label="Cluster 14"/>
    <paletteEntry value="15" color="#bb5566" alpha="255" label="Cluster 15"/>
    <paletteEntry value="16" color="#225522" alpha="255" label="Cluster 16"/>
    <paletteEntry value="17" color="#ffaabb" alpha="255" label="Cluster 17"/>
    <paletteEntry value="18" color="#663333" alpha="255" label="Cluster 18"/>
    <paletteEntry value="19" color="#222255" alpha="255" label="Cluster 19"/>
   </colorPalette>
  </rasterrenderer>
 </pipe>
</qgis>
