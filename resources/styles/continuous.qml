<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>
<qgis version="3.22.0" styleCategories="Symbology">
 <pipe>
  <rasterrenderer type="singlebandpseudocolor" band="1" alphaBand="-1" classificationMin="0" classificationMax="1" opacity="1" nodataColor="">
   <minMaxOrigin>
    <limits>None</limits>
    <extent>WholeRaster</extent>
    <statAccuracy>Estimated</statAccuracy>
   </minMaxOrigin>
   <rastershader>
    <colorrampshader colorRampType="INTERPOLATED" classificationMode="1" clip="0" labelPrecision="4" minimumValue="0" maximumValue="1">
     <colorramp type="gradient" name="[source]">
      <Option type="Map">
       <Option type="QString" name="color1" value="68,1,84,255"/>
       <Option type="QString" name="color2" value="253,231,37,255"/>
       <Option type="QString" name="discrete" value="0"/>
       <Option type="QString" name="rampType" value="gradient"/>
       <Option type="QString" name="stops" value="0.111111;72,40,120,255:0.222222;62,74,137,255:0.333333;49,104,142,255:0.444444;38,130,142,255:0.555556;31,158,137,255:0.666667;53,183,121,255:0.777778;110,206,88,255:0.888889;181,222,43,255"/>
      </Option>
     </colorramp>
     <item value="0" color="#440154" alpha="255" label="0"/>
     <item value="0.111111" color="#482878" alpha="255" label="0.111111"/>
     <item value="0.222222" color="#3e4a89" alpha="255" label="0.222222"/>
     <item value="0.333333" color="#31688e" alpha="255" label="0.333333"/>
     <item value="0.444444" color="#26828e" alpha="255" label="0.444444"/>
     <item value="0.555556" color="#1f9e89" alpha="255" label="0.555556"/>
     <item value="0.666667" color="#35b779" alpha="255" label="0.666667"/>
     <item value="0.777778" color="#6ece58" alpha="255" label="0.777778"/>
     <item value="0.888889" color="#b5de2b" alpha="255" label="0.888889"/>
     <item value="1" color="#fde725" alpha="255" label="1"/>
     <rampLegendSettings useContinuousLegend="1" orientation="2" direction="0" minimumLabel="" maximumLabel="" prefix="" suffix=""/>
    </colorrampshader>
   </rastershader>
  </rasterrenderer>
 </pipe>
</qgis>
